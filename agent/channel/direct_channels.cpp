#include "agent/channel/direct_channels.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <utility>

#include "agent/channel/connect.hpp"
#include "agent/channel/runtime.hpp"
#include "common/log.hpp"
#include "common/messages/message.hpp"
#include "common/text.hpp"

namespace baton::channel {
namespace {

constexpr logger log{"Channel"};
constexpr std::int64_t open_again_ms = 30000;
constexpr const char* loopback = "127.0.0.1";

// Blocking. The first numeric address of a host.
result<std::string> resolve(const std::string& host) {
  addrinfo wanted{}, *found = nullptr;
  wanted.ai_socktype = SOCK_STREAM;
  const int failure = ::getaddrinfo(host.c_str(), nullptr, &wanted, &found);
  if (failure != 0) return error{errc::unreachable, fmt::format("{}: {}", host, ::gai_strerror(failure))};
  std::array<char, NI_MAXHOST> text{};
  const int unknown =
      ::getnameinfo(found->ai_addr, found->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
  ::freeaddrinfo(found);
  if (unknown != 0) return error{errc::unreachable, fmt::format("{}: {}", host, ::gai_strerror(unknown))};
  return std::string(text.data());
}

// Two processes that say the same have one loopback interface: this start of the machine, and this network namespace.
std::string this_machine() {
  std::string boot;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  std::array<char, 64> name{};
  const ssize_t length = ::readlink("/proc/self/ns/net", name.data(), name.size());
  return boot + "/" + std::string(name.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
}

}  // namespace

direct_channels::direct_channels(event_loop& loop, worker_pool& pool, const agent::settings& s, receiver received)
    : loop_(loop), pool_(pool), settings_(s.data), received_(std::move(received)), machine_(this_machine()) {
  if (!settings_.direct) return;
  auto made = runtime::make(settings_.tls);
  if (!made) {
    log(messages::BFGTR0036W, settings_.port, made.error().text);
    return;
  }
  thread_ = std::move(*made);
  open();
}

direct_channels::~direct_channels() = default;

void direct_channels::open() {
  if (settings_.host.empty()) return listen(settings_.loopback_only() ? loopback : "");
  pool_.submit([this, host = settings_.host, alive = std::weak_ptr<bool>(alive_)]() -> std::function<void()> {
    const auto address = resolve(host);
    return [this, address, alive] {
      if (!alive.expired()) listen(address ? *address : settings_.host);
    };
  });
}

// A port that another process has now may be free later.
void direct_channels::listen(const std::string& address) {
  auto made = listener::open(loop_, thread_, address, settings_.port);
  if (made) {
    listener_ = std::move(*made);
    return;
  }
  if (!std::exchange(told_, true)) log(messages::BFGTR0036W, settings_.port, made.error().text);
  loop_.after(open_again_ms, [this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) open();
  });
}

formats::data_offer direct_channels::offer(listener::arrived then) {
  formats::data_offer made;
  if (!listener_) return made;
  made.port = listener_->port();
  made.tls = thread_->server() != nullptr;
  made.host = settings_.host.empty() ? settings_.loopback_only() ? loopback : host_name() : settings_.host;
  if (settings_.loopback_only()) made.machine = machine_;
  made.secret = listener_->expect(std::move(then));
  return made;
}

void direct_channels::withdraw(const std::string& secret) {
  if (listener_) listener_->forget(secret);
}

status direct_channels::usable(const formats::data_offer& offered) const {
  const auto no = [](const char* why) { return status(error{errc::not_permitted, why}); };
  if (!thread_) return no("agentDataDirect=false");
  if (offered.port <= 0 || offered.port > 65535) return no("the destination has no data port");
  if (!offered.machine.empty() && offered.machine != machine_) {
    return no(
        "the destination takes clear text from its own host only: it needs agentSslCertificate, or agentDataHost "
        "with agentDataAllowPlain=true");
  }
  if (offered.tls && thread_->client() == nullptr) return no("the destination wants TLS: it needs agentSslCertificate");
  if (!offered.tls && offered.machine.empty() && !settings_.allow_plain) {
    return no(
        "it would be clear text to another host: it needs agentSslCertificate at both, or agentDataAllowPlain=true");
  }
  return done();
}

void direct_channels::connect(const std::string& peer, const formats::data_offer& offered,
                              std::function<void(result<std::unique_ptr<direct_channel>>)> then) {
  const auto answered = [this, peer, then,
                         alive = std::weak_ptr<bool>(alive_)](result<std::unique_ptr<direct_channel>> got) {
    if (alive.expired()) return;
    got ? book_.worked(peer) : book_.failed(peer, boot_time_ms());
    then(std::move(got));
  };
  pool_.submit([this, offered, answered, alive = std::weak_ptr<bool>(alive_)]() -> std::function<void()> {
    const auto address = resolve(offered.host);
    return [this, offered, answered, address, alive] {
      if (alive.expired()) return;
      if (!address) return answered(address.error());
      const auto port = static_cast<std::uint16_t>(offered.port);
      channel::connect(loop_, thread_, {*address, port, offered.secret, offered.tls ? offered.host : ""}, answered);
    };
  });
}

}  // namespace baton::channel
