#include "agent/channel/listener.hpp"

#include <fmt/format.h>

#include <boost/asio/ip/v6_only.hpp>
#include <chrono>
#include <utility>

#include "agent/channel/runtime.hpp"
#include "common/log.hpp"
#include "common/messages/message.hpp"
#include "common/random.hpp"
#include "common/text.hpp"

namespace baton::channel {
namespace {

constexpr logger log{"Channel"};
constexpr int strangers_max = 64;             // connections whose greeting has not ended
constexpr std::int64_t tell_again_ms = 1000;  // a flood of strangers does not flood the log

std::string text_of(const tcp::endpoint& where) {
  return where.address().is_v6() ? fmt::format("[{}]:{}", where.address().to_string(), where.port())
                                 : fmt::format("{}:{}", where.address().to_string(), where.port());
}

result<std::string> as_hex(result<std::string> secret) {
  if (secret) return to_hex(*secret);
  return secret;
}

}  // namespace

class listener::door : public std::enable_shared_from_this<listener::door> {
 public:
  using greeted = std::function<void(std::shared_ptr<session>, result<std::string>)>;
  door(runtime& thread, greeted then) : thread_(thread), acceptor_(thread.io()), then_(std::move(then)) {}

  // Before it is shared with the channel thread.
  boost::system::error_code open(const tcp::endpoint& at, std::uint16_t& port) {
    boost::system::error_code failure;
    acceptor_.close(failure);
    acceptor_.open(at.protocol(), failure);
    if (!failure) acceptor_.set_option(tcp::acceptor::reuse_address(true), failure);
    if (!failure && at.address().is_v6()) acceptor_.set_option(asio::ip::v6_only(false), failure);
    if (!failure) acceptor_.bind(at, failure);
    if (!failure) acceptor_.listen(tcp::acceptor::max_listen_connections, failure);
    if (!failure) port = acceptor_.local_endpoint(failure).port();
    return failure;
  }
  void accept() {
    acceptor_.async_accept([self = shared_from_this()](const auto& failure, tcp::socket socket) {
      if (!self->acceptor_.is_open()) return;
      if (failure) return self->accept_later();  // no descriptors are left, most likely
      self->admit(std::move(socket));
      self->accept();
    });
  }
  void close() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    later_.cancel();
  }

 private:
  void accept_later() {
    later_.expires_after(std::chrono::milliseconds(tell_again_ms));
    later_.async_wait([self = shared_from_this()](const auto& cancelled) {
      if (!cancelled) self->accept();
    });
  }
  void admit(tcp::socket socket) {
    boost::system::error_code gone;
    const auto from = socket.remote_endpoint(gone);
    if (gone || strangers_ >= strangers_max) return;  // closed by going out of scope
    auto bytes = thread_.server() != nullptr ? make_tls_stream(std::move(socket), *thread_.server(), "")
                                             : make_plain_stream(std::move(socket));
    const auto made = thread_.add(std::move(bytes), text_of(from));
    ++strangers_;
    made->be_greeted([self = shared_from_this(), one = std::weak_ptr<session>(made)](result<std::string> secret) {
      --self->strangers_;
      self->then_(one.lock(), as_hex(std::move(secret)));
    });
  }

  runtime& thread_;
  tcp::acceptor acceptor_;
  asio::steady_timer later_{thread_.io()};
  const greeted then_;
  int strangers_ = 0;
};

listener::listener(event_loop& loop, std::shared_ptr<runtime> thread) : loop_(loop), thread_(std::move(thread)) {}

result<std::unique_ptr<listener>> listener::open(event_loop& loop, const std::shared_ptr<runtime>& thread,
                                                 const std::string& address, std::uint16_t port) {
  std::unique_ptr<listener> made(new listener(loop, thread));
  made->door_ = std::make_shared<door>(*thread, [at = made.get(), &loop, alive = std::weak_ptr<bool>(made->alive_)](
                                                    std::shared_ptr<session> one, const result<std::string>& secret) {
    loop.post([at, alive, one = std::move(one), secret] {
      if (!alive.expired() && one) at->greeted(one, secret);
    });
  });
  boost::system::error_code failure;
  const auto at = asio::ip::make_address(address.empty() ? "::" : address, failure);
  if (!failure) failure = made->door_->open({at, port}, made->port_);
  if (failure && address.empty()) failure = made->door_->open({tcp::v4(), port}, made->port_);
  if (failure) return error{errc::in_use, failure.message()};
  thread->post([door = made->door_] { door->accept(); });
  return made;
}

listener::~listener() {
  loop_.cancel(quiet_);
  thread_->post([door = std::move(door_)] { door->close(); });
}

std::string listener::expect(arrived then) {
  std::string secret = random_hex(secret_bytes);
  expected_.emplace(secret, std::move(then));
  return secret;
}

void listener::forget(const std::string& secret) {
  expected_.erase(secret);
}

void listener::greeted(const std::shared_ptr<session>& one, const result<std::string>& secret) {
  if (!secret) return refuse(one, secret.error().text);
  auto found = expected_.extract(*secret);
  if (!found) return refuse(one, "it has no secret of a transfer, or an old one");
  thread_->post([one] { one->welcome_peer(); });
  found.mapped()(std::make_unique<direct_channel>(loop_, thread_, one));
}

void listener::refuse(const std::shared_ptr<session>& one, const std::string& why) {
  thread_->post([one] { one->close(""); });
  refused_ = {one->peer(), why};
  ++untold_;
  if (quiet_ == 0) tell();
}

void listener::tell() {
  log(messages::BFGTR0035W, refused_.first, port_, refused_.second, std::exchange(untold_, 0) - 1);
  quiet_ = loop_.after(tell_again_ms, [this] {
    quiet_ = 0;
    if (untold_ > 0) tell();
  });
}

}  // namespace baton::channel
