#include "qmgr/queue_manager.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <random>

#include "common/log.hpp"

namespace baton::qmgr {
namespace {

constexpr logger log{"QueueManager"};
constexpr std::int64_t stop_timeout_ms = 10000;  // for clients to end after they were asked to
constexpr std::int64_t stop_poll_ms = 20;

std::string random_name() {
  static std::random_device source;  // not guessable: whoever knows the name may send to it
  return fmt::format("{:08x}{:08x}{:08x}", source(), source(), source());
}

bool is_loopback(const std::string& address) {
  return address == "localhost" || address == "::1" || address.starts_with("127.");
}

broker_options core_options(const options& wanted) {
  broker_options made;
  made.memory_bytes_max = wanted.memory_limit;
  made.cache_bytes_max = wanted.memory_limit / 4;
  made.temporary_name = [] { return "TEMP." + random_name(); };
  return made;
}

server_options amqp_options(const options& wanted) {
  server_options made;
  made.container_id = fmt::format("{}-{}-{}", wanted.name, getpid(), random_name().substr(0, 8));
  made.bind_address = wanted.bind_address;
  made.port = wanted.port;
  made.idle_timeout_ms = wanted.idle_timeout_ms;
  made.message_bytes_max = wanted.message_bytes_max;
  made.connections_max = wanted.connections_max;
  made.tls_certificate = wanted.tls_certificate;
  made.tls_key = wanted.tls_key;
  made.tls_trust = wanted.tls_trust;
  return made;
}

}  // namespace

status check(const options& wanted) {
  const int given = !wanted.tls_certificate.empty() + !wanted.tls_key.empty() + !wanted.tls_trust.empty();
  if (given != 0 && given != 3) {
    return error{errc::bad_property, "tlsCertificate, tlsKey and tlsTrust belong together: set all of them or none"};
  }
  if (given == 0 && !is_loopback(wanted.bind_address)) {
    return error{errc::bad_property, render(messages::BFGQM0008E, wanted.bind_address)};
  }
  return done();
}

queue_manager::queue_manager(event_loop& loop, options wanted, shared_use shared)
    : loop_(loop), options_(std::move(wanted)), shared_(std::move(shared)) {
  facts_.name = options_.name;
  facts_.started_ms = boot_time_ms();
}

queue_manager::~queue_manager() {
  loop_.cancel(wait_timer_);
}

status queue_manager::start() {
  if (const status fine = check(options_); !fine) return fine;
  store_ = std::move(shared_.claimed);
  if (store_ == nullptr) {
    auto opened = store::open(options_.store_file);
    if (!opened) return opened.error();
    store_ = std::move(*opened);
  }
  broker_ = std::make_unique<broker>(core_options(options_));
  management_ = std::make_unique<management>(*broker_, *store_, facts_, [this](bool immediate) {
    loop_.post([this, immediate] {  // after the reply has left
      shared_.stop_requested ? shared_.stop_requested(immediate) : stop(immediate);
    });
  });
  engine_ = std::make_unique<engine>(
      loop_, *broker_, *store_, *management_,
      [this](action_lists actions) {
        if (server_ != nullptr) server_->leave(std::move(actions));
      },
      shared_.may_leave);
  if (const status recovered = engine_->recover(); !recovered) return recovered;
  engine_->turn();  // what expired meanwhile goes now
  server_ = std::make_unique<amqp_server>(
      amqp_options(options_), [this](std::vector<event>&& happened) { engine_->submit(std::move(happened)); });
  const auto port = server_->start();
  if (!port) return port.error();
  facts_.port = *port;
  log(messages::BFGQM0001I, options_.name, options_.bind_address, facts_.port);
  return done();
}

void queue_manager::stop(bool immediate) {
  if (immediate || server_ == nullptr) return end();
  if (std::exchange(stopping_, true)) return;
  server_->stop_listening();
  log(messages::BFGQM0003I, options_.name, server_->connection_count());
  broker_->close_all({"amqp:connection:forced", "queue manager is stopping"});
  server_->leave(broker_->take_actions());
  wait_for_clients(boot_time_ms() + stop_timeout_ms);
}

void queue_manager::wait_for_clients(std::int64_t deadline_ms) {
  const std::size_t left = server_->connection_count();
  if (left > 0 && boot_time_ms() < deadline_ms) {
    wait_timer_ = loop_.after(stop_poll_ms, [this, deadline_ms] { wait_for_clients(deadline_ms); });
    return;
  }
  if (left > 0) log(messages::BFGQM0005W, left, stop_timeout_ms);
  store_->checkpoint();
  end();
}

// The AMQP thread ends first: nothing that arrives later is taken in or answered.
void queue_manager::end() {
  loop_.cancel(wait_timer_);
  server_.reset();
  log(messages::BFGQM0004I, options_.name);
  shared_.ended ? shared_.ended() : loop_.stop();
}

}  // namespace baton::qmgr
