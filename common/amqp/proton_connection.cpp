// The adapter behind connection.hpp. It has no decisions of its own: loop -> AMQP thread goes through the connection's
// work queue, AMQP thread -> loop through event_loop::post.
#include <fmt/format.h>
#include <proton/session.h>
#include <proton/transport.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <proton/connection.hpp>
#include <proton/connection_options.hpp>
#include <proton/delivery.hpp>
#include <proton/error_condition.hpp>
#include <proton/messaging_handler.hpp>
#include <proton/receiver.hpp>
#include <proton/sender.hpp>
#include <proton/session.hpp>
#include <proton/ssl.hpp>
#include <proton/tracker.hpp>
#include <proton/transport.hpp>
#include <proton/work_queue.hpp>
#include <utility>
#include <vector>

#include "common/amqp/connection.hpp"
#include "common/amqp/dialect.hpp"
#include "common/amqp/lookups.hpp"
#include "common/amqp/proton_links.hpp"
#include "common/amqp/proton_message.hpp"
#include "common/amqp/proton_runtime.hpp"
#include "common/amqp/refusals.hpp"
#include "common/random.hpp"

namespace baton::amqp {
namespace {

// Small enough that heartbeats and dispositions get between the frames of a large message. A chunk of file data of
// agentChunkSize's default fits into one, with what is around it; four of them for one of 1 MiB are as fast as one.
constexpr std::uint32_t frame_bytes_max = 272 * 1024;
// How long a peer has to answer the end of the sessions before the connection is closed all the same.
constexpr std::uint64_t goodbye_ms_max = 1000;

// The C objects behind Proton's C++ ones, for the few things that the C++ layer does not have.
struct transport_in_c : proton::transport {
  explicit transport_in_c(const proton::transport& t) : proton::transport(t) {}
  std::uint32_t remote_idle_timeout_ms() const { return pn_transport_get_remote_idle_timeout(pn_object()); }
};
struct session_in_c : proton::session {
  explicit session_in_c(const proton::session& s) : proton::session(s) {}
  void free() const { pn_session_free(pn_object()); }
};

// What the peer calls itself; empty when it does not.
std::string product_of(const proton::connection& connection) {
  const auto properties = connection.properties();
  const auto found = properties.find("product");
  const bool named = found != properties.end() && found->second.type() == proton::STRING;
  return named ? proton::get<std::string>(found->second) : std::string();
}

proton::connection_options to_proton(const connection_options& from, const std::string& container_id) {
  proton::connection_options to;
  to.container_id(container_id);
  to.idle_timeout(proton::duration(from.idle_timeout_ms));
  to.max_frame_size(frame_bytes_max);
  if (from.tolerance_ms > 0) to.properties({{"idle-timeout", from.tolerance_ms}});
  if (!from.peer.user.empty()) {
    to.user(from.peer.user).password(from.peer.password);
    // Where the queue manager lets anybody in too (RabbitMQ), Proton would go in as nobody, with nobody's rights.
    to.sasl_allowed_mechs("PLAIN");
    to.sasl_allow_insecure_mechs(from.peer.tls.trust.empty());
  }
  const tls_files& tls = from.peer.tls;
  if (!tls.trust.empty()) {
    if (tls.certificate.empty()) {
      to.ssl_client_options(proton::ssl_client_options(tls.trust, proton::ssl::VERIFY_PEER_NAME));
    } else {
      to.ssl_client_options(proton::ssl_client_options(proton::ssl_certificate(tls.certificate, tls.key), tls.trust,
                                                       proton::ssl::VERIFY_PEER_NAME));
    }
  }
  return to;
}

}  // namespace

// Lives until both the owner has let go of it and Proton has told it the end of the transport.
class connection::driver : public proton::messaging_handler,
                           public link_listener,
                           public std::enable_shared_from_this<driver> {
 public:
  driver(event_loop& loop, const connection_options& options, connection_events& events)
      : options_(options),
        speech_(dialect_of(options.peer.kind)),
        events_(&events),
        loop_(&loop),
        container_id_(options.name + "-" + random_hex(8)),
        links_(speech_, container_id_, *this) {}

  void start();
  void run_on_amqp_thread(std::function<void()> work);
  void tell(std::function<void(connection_events&)> what);
  void post(std::function<void()> work);

  // Below: loop thread.
  link_id next_link(const std::string& address);
  void link_ended(link_id link) { timers_cancel(link); }
  void lost(const error& why);
  std::string describe() const { return fmt::format("{}:{}", options_.peer.host, options_.peer.port); }

  // Below: AMQP thread.
  void make_sender(link_id link, const std::string& queue, bool stream);
  void close_connection();

 private:
  friend class connection;
  void connection_ended(const proton::error_condition& condition);
  void timers_cancel(link_id link);

  void on_connection_open(proton::connection& connection) override;
  void on_connection_close(proton::connection& c) override { connection_ended(c.error()); }
  void on_connection_error(proton::connection& c) override { connection_ended(c.error()); }
  void on_session_error(proton::session& s) override { links_.on_session_end(s, s.error()); }
  void on_session_close(proton::session& s) override;
  void on_transport_error(proton::transport& t) override { connection_ended(t.error()); }
  void on_transport_close(proton::transport& t) override;
  void on_receiver_open(proton::receiver& r) override { links_.on_receiver_open(r); }
  void on_receiver_error(proton::receiver& r) override { links_.on_link_end(r, r.error()); }
  void on_receiver_close(proton::receiver& r) override { links_.on_link_end(r, r.error()); }
  void on_receiver_detach(proton::receiver& r) override { links_.on_link_end(r, r.error()); }
  void on_receiver_drain_finish(proton::receiver& r) override { links_.on_drained(r); }
  void on_sender_open(proton::sender& s) override { links_.on_sender_open(s); }
  void on_sender_error(proton::sender& s) override { links_.on_link_end(s, s.error()); }
  void on_sender_close(proton::sender& s) override { links_.on_link_end(s, s.error()); }
  void on_sender_detach(proton::sender& s) override { links_.on_link_end(s, s.error()); }
  void on_sendable(proton::sender& s) override { links_.on_sendable(s); }
  void on_message(proton::delivery& d, proton::message& content) override { links_.on_message(d, content); }
  void on_tracker_accept(proton::tracker& t) override { links_.on_outcome(t, outcome::accepted); }
  void on_tracker_reject(proton::tracker& t) override { links_.on_outcome(t, outcome::rejected); }
  void on_tracker_release(proton::tracker& t) override { links_.on_outcome(t, outcome::released); }
  void on_error(const proton::error_condition&) override {}

  void opened(link_id link, const std::string& queue) override;
  void ended(link_id link, const error& why) override;
  void arrived(link_id link, delivery_id delivery, message&& content) override;
  void drained(link_id link) override;
  void settled(send_id id, outcome how) override;

  connection_events* forget_owner();
  void call_for_work();

  const connection_options options_;
  const dialect& speech_;

  // Loop thread.
  connection_events* events_;
  link_id last_link_ = 0;
  send_id last_send_ = 0;
  std::map<link_id, event_loop::timer_id> attach_timers_;
  event_loop::timer_id connect_timer_ = 0;

  // Both threads.
  std::mutex mutex_;
  event_loop* loop_;                    // the owner's; not touched any more when it has let go, for then it may be gone
  proton::work_queue* work_ = nullptr;  // set while the connection is open
  std::vector<std::function<void()>> asked_;  // not done yet
  bool gone_ = false;
  std::atomic<std::uint32_t> peer_idle_timeout_ms_ = 0;

  // AMQP thread.
  const std::string container_id_;
  std::shared_ptr<driver> self_;
  proton::connection connection_;
  proton_links links_;
  bool closing_ = false;
  bool explaining_ = false;  // why the peer's certificate is not trusted
};

void connection::driver::start() {
  self_ = shared_from_this();
  connect_timer_ = loop_->after(options_.connect_timeout_ms, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->lost({errc::timed_out,
                  fmt::format("{}: no answer within {} ms", self->describe(), self->options_.connect_timeout_ms)});
    }
  });
  const endpoint& peer = options_.peer;
  const bool bare_v6 = peer.host.find(':') != std::string::npos && peer.host.front() != '[';
  const std::string host = bare_v6 ? "[" + peer.host + "]" : peer.host;
  const auto url = fmt::format("{}://{}:{}", peer.tls.trust.empty() ? "amqp" : "amqps", host, peer.port);
  auto settings = to_proton(options_, container_id_);
  settings.handler(*this);
  proton_runtime::instance().container().connect(url, settings);
}

void connection::driver::run_on_amqp_thread(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (gone_) return;
  asked_.push_back(std::move(work));
  if (work_ != nullptr && asked_.size() == 1) call_for_work();
}

// What is asked for in one go is written in one go.
void connection::driver::call_for_work() {
  work_->add(proton::work([keep = shared_from_this()] {
    std::vector<std::function<void()>> asked;
    {
      const std::lock_guard lock(keep->mutex_);
      asked.swap(keep->asked_);
    }
    for (const auto& work : asked) work();
  }));
}

void connection::driver::post(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (loop_ != nullptr) loop_->post(std::move(work));
}

void connection::driver::tell(std::function<void(connection_events&)> what) {
  post([keep = shared_from_this(), what = std::move(what)] {
    if (keep->events_ != nullptr) what(*keep->events_);
  });
}

// The last thing that happens on the loop thread: no timer and no event comes after it.
connection_events* connection::driver::forget_owner() {
  if (events_ == nullptr) return nullptr;
  loop_->cancel(connect_timer_);
  for (const auto& [link, timer] : attach_timers_) loop_->cancel(timer);
  attach_timers_.clear();
  run_on_amqp_thread([this] { close_connection(); });
  const std::lock_guard lock(mutex_);
  loop_ = nullptr;
  return std::exchange(events_, nullptr);
}

void connection::driver::lost(const error& why) {
  if (connection_events* const owner = forget_owner())
    owner->connection_lost(with_advice(why, refused::connection, options_.peer));
}

link_id connection::driver::next_link(const std::string& address) {
  const link_id link = ++last_link_;
  attach_timers_[link] = loop_->after(options_.connect_timeout_ms, [weak = weak_from_this(), link, address] {
    const auto self = weak.lock();
    if (!self || self->events_ == nullptr) return;
    self->attach_timers_.erase(link);
    self->run_on_amqp_thread([d = self.get(), link] { d->links_.drop(link); });
    self->events_->link_lost(
        link, {errc::timed_out, fmt::format("{}: the queue manager did not answer the attach", address)});
  });
  return link;
}

void connection::driver::timers_cancel(link_id link) {
  const auto timer = attach_timers_.find(link);
  if (timer == attach_timers_.end() || loop_ == nullptr) return;
  loop_->cancel(timer->second);
  attach_timers_.erase(timer);
}

// --- AMQP thread ---

void connection::driver::on_connection_open(proton::connection& connection) {
  connection_ = connection;
  if (const auto right = check_product(product_of(connection), options_.peer); !right) {
    post([keep = shared_from_this(), why = right.error()] { keep->lost(why); });
    return connection.close();
  }
  // With silence as the peer's reason to drop this side, whoever holds a lock wants to know how long that takes.
  peer_idle_timeout_ms_ = transport_in_c(connection.transport()).remote_idle_timeout_ms();
  {
    const std::lock_guard lock(mutex_);
    work_ = &connection.work_queue();
    if (!asked_.empty()) call_for_work();
  }
  post([keep = shared_from_this()] {
    if (keep->events_ == nullptr) return;
    keep->loop_->cancel(keep->connect_timer_);
    keep->events_->connection_opened();
  });
}

void connection::driver::connection_ended(const proton::error_condition& condition) {
  if (explaining_) return;  // Proton says it more than once
  const error why = to_error(condition, describe(), speech_);
  if (!is_certificate_refused(why.text)) return post([keep = shared_from_this(), why] { keep->lost(why); });
  explaining_ = true;
  lookups::instance().ask_certificate(options_.peer, [keep = shared_from_this(), why](const std::string& fault) {
    keep->post([keep, why = error{why.code, fault.empty() ? why.text : why.text + ": " + fault}] { keep->lost(why); });
  });
}

void connection::driver::on_transport_close(proton::transport&) {
  {
    const std::lock_guard lock(mutex_);
    work_ = nullptr;
    gone_ = true;
    asked_.clear();
  }
  connection_ended({});
  links_.forget_all();
  connection_ = {};
  proton_runtime::instance().retire(std::move(self_));
}

// Both ends have ended it now (Proton answers for this one). Neither Proton nor its C++ layer frees a session before
// the connection ends; without this one that answers many commands would grow with each.
void connection::driver::on_session_close(proton::session& s) {
  links_.on_session_end(s, s.error());
  links_.on_session_closed();
  connection_.work_queue().add(proton::work([keep = shared_from_this(), session = session_in_c(s)] {
    if (keep->connection_) session.free();  // otherwise it went with the connection
  }));
  if (closing_ && links_.sessions() == 0) connection_.close();
}

void connection::driver::make_sender(link_id link, const std::string& queue, bool stream) {
  links_.expect_sender(link, queue, stream);
  if (speech_.refuses_missing_queues()) return links_.attach_sender(connection_, link);
  lookups::instance().ask(options_, queue, [weak = weak_from_this(), link, queue](bool missing) {
    const auto self = weak.lock();
    if (!self) return;
    self->run_on_amqp_thread([d = self.get(), link, queue, missing] {
      if (missing) return d->links_.refuse_sender(link, {errc::not_found, queue + ": there is no such queue"});
      d->links_.attach_sender(d->connection_, link);
    });
  });
}

void connection::driver::opened(link_id link, const std::string& queue) {
  post([keep = shared_from_this(), link, queue] {
    keep->timers_cancel(link);
    if (keep->events_ != nullptr) keep->events_->link_opened(link, queue);
  });
}

void connection::driver::ended(link_id link, const error& why) {
  post([keep = shared_from_this(), link, why = with_advice(why, refused::queue, options_.peer)] {
    keep->timers_cancel(link);
    if (keep->events_ != nullptr) keep->events_->link_lost(link, why);
  });
}

void connection::driver::arrived(link_id link, delivery_id delivery, message&& content) {
  // std::function wants copies to be possible; the message is large, so it travels behind a pointer.
  auto plain = std::make_shared<message>(std::move(content));
  tell([link, delivery, plain](connection_events& events) { events.received(link, delivery, std::move(*plain)); });
}

void connection::driver::drained(link_id link) {
  tell([link](connection_events& events) { events.drained(link); });
}

void connection::driver::settled(send_id id, outcome how) {
  tell([id, how](connection_events& events) { events.sent(id, how); });
}

void connection::driver::close_connection() {
  if (!connection_ || connection_.closed() || closing_) return;
  closing_ = true;
  links_.drop_all();
  if (speech_.settles_before_close() || links_.sessions() == 0) return connection_.close();
  // Not through the connection's own work queue: what that has scheduled it does even when it is long gone.
  proton_runtime::instance().container().schedule(proton::duration(goodbye_ms_max),
                                                  proton::work([weak = weak_from_this()] {
                                                    const auto self = weak.lock();
                                                    if (!self) return;
                                                    self->run_on_amqp_thread([d = self.get()] {
                                                      if (d->connection_.active()) d->connection_.close();
                                                    });
                                                  }));
}

// --- the public face: loop thread ---

connection::connection(event_loop& loop, const connection_options& options, connection_events& events)
    : driver_(std::make_shared<driver>(loop, options, events)) {
  driver_->start();
}

connection::~connection() {
  close();
}

link_id connection::open_receiver(const receiver_options& options) {
  if (driver_->events_ == nullptr) return 0;
  const link_id link = driver_->next_link(options.address);
  driver_->run_on_amqp_thread(
      [d = driver_.get(), link, options] { d->links_.make_receiver(d->connection_, link, options); });
  return link;
}

link_id connection::open_sender(const std::string& address, bool stream) {
  if (driver_->events_ == nullptr) return 0;
  const link_id link = driver_->next_link(address);
  driver_->run_on_amqp_thread([d = driver_.get(), link, address, stream] { d->make_sender(link, address, stream); });
  return link;
}

void connection::close_link(link_id link) {
  driver_->link_ended(link);
  driver_->run_on_amqp_thread([d = driver_.get(), link] { d->links_.drop(link); });
}

send_id connection::send(link_id sender, message content) {
  const send_id id = ++driver_->last_send_;
  auto moved = std::make_shared<message>(std::move(content));
  driver_->run_on_amqp_thread(
      [d = driver_.get(), sender, id, moved] { d->links_.send(sender, id, std::move(*moved)); });
  return id;
}

void connection::settle(delivery_id delivery, outcome how) {
  driver_->run_on_amqp_thread([d = driver_.get(), delivery, how] { d->links_.settle(delivery, how); });
}

void connection::add_credit(link_id receiver, std::uint32_t count) {
  driver_->run_on_amqp_thread([d = driver_.get(), receiver, count] { d->links_.add_credit(receiver, count); });
}

void connection::drain(link_id receiver) {
  driver_->run_on_amqp_thread([d = driver_.get(), receiver] { d->links_.drain(receiver); });
}

std::uint32_t connection::peer_idle_timeout_ms() const {
  return driver_->peer_idle_timeout_ms_;
}

void connection::close() {
  driver_->forget_owner();
}

}  // namespace baton::amqp
