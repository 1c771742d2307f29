#include "qmgr/amqp_server.hpp"

#include <fmt/format.h>
#include <proton/netaddr.h>
#include <proton/sasl.h>
#include <proton/transport.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <future>
#include <utility>

#include "common/loop.hpp"
#include "qmgr/amqp_text.hpp"

namespace baton::qmgr {
namespace {

// Bounds what a frame costs, and lets heartbeats and dispositions in between bulk data. Unset means unlimited.
constexpr std::uint32_t frame_bytes_max = 272 * 1024;
constexpr int backlog = 512;
constexpr std::int64_t open_timeout_min_ms = 10000;

// Goes along with the next event that cannot, so that a message which is passed on costs one turn and not two.
bool can_wait(const event& happened) {
  const auto* sent = std::get_if<deliveries_sent>(&happened);
  return sent != nullptr && !sent->soon;
}

}  // namespace

amqp_server::amqp_server(server_options options, std::function<void(std::vector<event>&&)> submit)
    : options_(std::move(options)),
      submit_(std::move(submit)),
      settings_{options_.container_id, options_.message_bytes_max},
      proactor_(pn_proactor()) {}

amqp_server::~amqp_server() {
  ending_ = true;
  pn_proactor_interrupt(proactor_);
  if (thread_.joinable()) thread_.join();
  for (const auto& [id, connection] : connections_) connection->inbox()->close();
  pn_proactor_free(proactor_);
}

status amqp_server::set_up_tls() {
  if (options_.tls_certificate.empty()) return done();
  tls_.reset(pn_ssl_domain(PN_SSL_MODE_SERVER));
  const bool usable =
      tls_ != nullptr &&
      pn_ssl_domain_set_credentials(tls_.get(), options_.tls_certificate.c_str(), options_.tls_key.c_str(), nullptr) ==
          0 &&
      pn_ssl_domain_set_trusted_ca_db(tls_.get(), options_.tls_trust.c_str()) == 0 &&
      pn_ssl_domain_set_peer_authentication(tls_.get(), PN_SSL_VERIFY_PEER, options_.tls_trust.c_str()) == 0;
  if (usable) return done();
  return error{errc::bad_property, fmt::format("TLS cannot be set up with tlsCertificate {}, tlsKey {} and tlsTrust {}",
                                               options_.tls_certificate, options_.tls_key, options_.tls_trust)};
}

result<std::uint16_t> amqp_server::start() {
  if (const status tls = set_up_tls(); !tls) return tls.error();
  auto answer = std::make_shared<std::promise<std::pair<std::uint16_t, std::string>>>();
  auto told = answer->get_future();
  on_listening_ = [answer](std::uint16_t port, const std::string& failure) { answer->set_value({port, failure}); };
  listener_ = pn_listener();
  const std::string address = fmt::format("{}:{}", options_.bind_address, options_.port);
  pn_proactor_listen(proactor_, listener_, address.c_str(), backlog);
  thread_ = std::thread([this] { run(); });
  const auto [port, failure] = told.get();
  if (failure.empty()) return port;
  return error{errc::in_use, fmt::format("cannot listen on {}: {}", address, failure)};
}

void amqp_server::leave(action_lists actions) {
  for (auto& [connection, list] : actions) {
    std::shared_ptr<mailbox> box;
    {
      const std::lock_guard lock(mutex_);
      const auto found = mailboxes_.find(connection);
      if (found != mailboxes_.end()) box = found->second;
    }
    if (box != nullptr && !list.empty()) box->put(std::move(list));
  }
}

void amqp_server::stop_listening() {
  const std::lock_guard lock(mutex_);
  if (std::exchange(listener_open_, false)) pn_listener_close(listener_);
}

void amqp_server::run() {
  for (bool going = true; going;) {
    pn_event_batch_t* batch = pn_proactor_wait(proactor_);
    while (pn_event_t* happened = pn_event_batch_next(batch)) going = handle(happened) && going;
    if (!std::all_of(events_.begin(), events_.end(), can_wait)) submit_(std::exchange(events_, {}));
    pn_proactor_done(proactor_, batch);
  }
}

bool amqp_server::handle(pn_event_t* happened) {
  switch (pn_event_type(happened)) {
    case PN_PROACTOR_INTERRUPT:
      return !ending_;
    case PN_PROACTOR_TIMEOUT:
      look_at_opening();
      return true;
    case PN_LISTENER_OPEN:
    case PN_LISTENER_ACCEPT:
    case PN_LISTENER_CLOSE:
      on_listener(happened);
      return true;
    default:
      if (pn_connection_t* connection = pn_event_connection(happened)) on_connection(connection, happened);
      return true;
  }
}

void amqp_server::on_listener(pn_event_t* happened) {
  pn_listener_t* listener = pn_event_listener(happened);
  if (pn_event_type(happened) == PN_LISTENER_ACCEPT) return accept();
  if (pn_event_type(happened) == PN_LISTENER_CLOSE) {
    const std::string failure = text_or_empty(pn_condition_get_description(pn_listener_condition(listener)));
    return listening(0, failure.empty() ? "the listener was closed" : failure);
  }
  char host[256] = "", port[32] = "";
  pn_netaddr_host_port(pn_listener_addr(listener), host, sizeof host, port, sizeof port);
  std::uint16_t number = 0;
  std::from_chars(port, port + std::strlen(port), number);
  listening(number, "");
}

// Tells start() once how it went.
void amqp_server::listening(std::uint16_t port, const std::string& failure) {
  const std::lock_guard lock(mutex_);
  listener_open_ = failure.empty();
  if (on_listening_) std::exchange(on_listening_, nullptr)(port, failure);
}

void amqp_server::accept() {
  pn_transport_t* transport = pn_transport();
  pn_transport_set_server(transport);
  pn_transport_set_max_frame(transport, frame_bytes_max);
  pn_transport_set_idle_timeout(transport, options_.idle_timeout_ms);
  pn_sasl_allowed_mechs(pn_sasl(transport), tls_ ? "EXTERNAL" : "ANONYMOUS");
  if (tls_) {
    pn_ssl_init(pn_ssl(transport), tls_.get(), nullptr);
    pn_transport_require_encryption(transport, true);
    pn_transport_require_auth(transport, true);
  }
  pn_connection_t* connection = pn_connection();
  const connection_id id = ++last_connection_;
  auto made = std::make_unique<amqp_connection>(connection, id, settings_, last_link_, events_);
  pn_connection_set_context(connection, made.get());
  if (connections_.size() >= options_.connections_max) {
    made->refuse(
        {"amqp:resource-limit-exceeded", "the queue manager has as many connections as maxConnections allows"});
  }
  {
    const std::lock_guard lock(mutex_);
    mailboxes_.emplace(id, made->inbox());
  }
  connections_.emplace(id, std::move(made));
  opening_.emplace_back(id, boot_time_ms() + std::max<std::int64_t>(options_.idle_timeout_ms, open_timeout_min_ms));
  if (opening_.size() == 1) look_at_opening();
  connection_count_ = connections_.size();
  pn_listener_accept2(listener_, connection, transport);
}

// Proton tells nothing of a peer that is silent before it has opened its connection.
void amqp_server::look_at_opening() {
  const std::int64_t now = boot_time_ms();
  for (; !opening_.empty() && opening_.front().second <= now; opening_.pop_front()) {
    const auto found = connections_.find(opening_.front().first);
    if (found != connections_.end()) found->second->give_up_opening();
  }
  if (opening_.empty()) return;
  pn_proactor_set_timeout(proactor_, static_cast<pn_millis_t>(opening_.front().second - now));
}

void amqp_server::on_connection(pn_connection_t* connection, pn_event_t* happened) {
  auto* known = static_cast<amqp_connection*>(pn_connection_get_context(connection));
  if (known == nullptr) return;
  known->handle(happened);
  if (pn_event_type(happened) != PN_TRANSPORT_CLOSED) return;
  pn_connection_set_context(connection, nullptr);
  {
    const std::lock_guard lock(mutex_);
    mailboxes_.erase(known->id());
  }
  connections_.erase(known->id());
  connection_count_ = connections_.size();
}

}  // namespace baton::qmgr
