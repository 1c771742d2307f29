// The adapter behind connection.hpp. It has no decisions of its own: loop -> AMQP thread goes through the connection's
// work queue, AMQP thread -> loop through event_loop::post.
#include <fmt/format.h>

#include <proton/connection.hpp>
#include <proton/connection_options.hpp>
#include <proton/delivery.hpp>
#include <proton/error_condition.hpp>
#include <proton/messaging_handler.hpp>
#include <proton/receiver.hpp>
#include <proton/receiver_options.hpp>
#include <proton/sender.hpp>
#include <proton/sender_options.hpp>
#include <proton/source.hpp>
#include <proton/source_options.hpp>
#include <proton/ssl.hpp>
#include <proton/target.hpp>
#include <proton/tracker.hpp>
#include <proton/transport.hpp>
#include <proton/work_queue.hpp>

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "common/amqp/connection.hpp"
#include "common/amqp/proton_message.hpp"
#include "common/amqp/proton_runtime.hpp"
#include "common/random.hpp"

namespace baton::amqp {
namespace {

// Small enough that heartbeats and dispositions get between the frames of a large message.
constexpr std::uint32_t frame_bytes_max = 256 * 1024;

proton::connection_options to_proton(const connection_options& from, const std::string& container_id) {
  proton::connection_options to;
  to.container_id(container_id);
  to.idle_timeout(proton::duration(from.idle_timeout_ms));
  to.max_frame_size(frame_bytes_max);
  if (!from.peer.user.empty()) {
    to.user(from.peer.user).password(from.peer.password);
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
class connection::driver : public proton::messaging_handler, public std::enable_shared_from_this<driver> {
 public:
  driver(event_loop& loop, const connection_options& options, connection_events& events)
      : options_(options), events_(&events), loop_(&loop), container_id_(options.name + "-" + random_hex(8)) {}

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
  void make_receiver(link_id link, const receiver_options& options);
  void make_sender(link_id link, const std::string& address);
  void queue_message(link_id link, send_id id, message&& content);
  void settle(delivery_id delivery, outcome how);
  void add_credit(link_id link, std::uint32_t count);
  void drop_link(link_id link);
  void close_connection();

 private:
  friend class connection;
  struct sending {
    proton::sender link;
    std::string address;
    bool open = false;
    std::deque<std::pair<send_id, message>> waiting;
    std::map<proton::binary, send_id> unsettled;
  };
  struct receiving {
    proton::receiver link;
    receiver_options options;
  };

  link_id id_of(const proton::link& link) const;
  void pump(sending& via);
  void outcome_of(const proton::tracker& tracker, outcome how);
  void opened(link_id link, const std::string& asked, const std::string& got);
  void ended(link_id link, const proton::error_condition& condition);
  void connection_ended(const proton::error_condition& condition);
  void timers_cancel(link_id link);

  void on_connection_open(proton::connection& connection) override;
  void on_connection_close(proton::connection& c) override { connection_ended(c.error()); }
  void on_connection_error(proton::connection& c) override { connection_ended(c.error()); }
  void on_session_error(proton::session& s) override { connection_ended(s.error()); }
  void on_session_close(proton::session& s) override { connection_ended(s.error()); }
  void on_transport_error(proton::transport& t) override { connection_ended(t.error()); }
  void on_transport_close(proton::transport& t) override;
  void on_receiver_open(proton::receiver& r) override;
  void on_receiver_error(proton::receiver& r) override { ended(id_of(r), r.error()); }
  void on_receiver_close(proton::receiver& r) override { ended(id_of(r), r.error()); }
  void on_receiver_detach(proton::receiver& r) override { ended(id_of(r), r.error()); }
  void on_sender_open(proton::sender& s) override;
  void on_sender_error(proton::sender& s) override { ended(id_of(s), s.error()); }
  void on_sender_close(proton::sender& s) override { ended(id_of(s), s.error()); }
  void on_sender_detach(proton::sender& s) override { ended(id_of(s), s.error()); }
  void on_sendable(proton::sender& s) override;
  void on_message(proton::delivery& delivery, proton::message& content) override;
  void on_tracker_accept(proton::tracker& t) override { outcome_of(t, outcome::accepted); }
  void on_tracker_reject(proton::tracker& t) override { outcome_of(t, outcome::rejected); }
  void on_tracker_release(proton::tracker& t) override { outcome_of(t, outcome::released); }
  void on_error(const proton::error_condition&) override {}

  connection_events* forget_owner();

  const connection_options options_;

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
  std::vector<std::function<void()>> early_;  // asked for before that
  bool gone_ = false;

  // AMQP thread.
  const std::string container_id_;
  std::shared_ptr<driver> self_;
  proton::connection connection_;
  std::map<link_id, sending> senders_;
  std::map<link_id, receiving> receivers_;
  delivery_id last_delivery_ = 0;
  std::map<delivery_id, std::pair<link_id, proton::delivery>> deliveries_;
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
  if (work_ == nullptr) {
    early_.push_back(std::move(work));
  } else {
    work_->add(proton::work([keep = shared_from_this(), work = std::move(work)] { work(); }));
  }
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
  if (connection_events* const owner = forget_owner()) owner->connection_lost(why);
}

link_id connection::driver::next_link(const std::string& address) {
  const link_id link = ++last_link_;
  attach_timers_[link] = loop_->after(options_.connect_timeout_ms, [weak = weak_from_this(), link, address] {
    const auto self = weak.lock();
    if (!self || self->events_ == nullptr) return;
    self->attach_timers_.erase(link);
    self->run_on_amqp_thread([d = self.get(), link] { d->drop_link(link); });
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
  {
    const std::lock_guard lock(mutex_);
    work_ = &connection.work_queue();
    for (auto& work : early_) work_->add(proton::work([keep = shared_from_this(), work] { work(); }));
    early_.clear();
  }
  post([keep = shared_from_this()] {
    if (keep->events_ == nullptr) return;
    keep->loop_->cancel(keep->connect_timer_);
    keep->events_->connection_opened();
  });
}

void connection::driver::connection_ended(const proton::error_condition& condition) {
  post([keep = shared_from_this(), why = to_error(condition, describe())] { keep->lost(why); });
}

void connection::driver::on_transport_close(proton::transport&) {
  {
    const std::lock_guard lock(mutex_);
    work_ = nullptr;
    gone_ = true;
    early_.clear();
  }
  connection_ended({});
  senders_.clear();
  receivers_.clear();
  deliveries_.clear();
  connection_ = {};
  proton_runtime::instance().retire(std::move(self_));
}

void connection::driver::make_receiver(link_id link, const receiver_options& options) {
  proton::source_options source;
  if (options.dynamic) source.dynamic(true);
  if (!options.dynamic) source.address(options.address);
  if (options.browse) source.distribution_mode(proton::source::COPY);
  proton::receiver_options wanted;
  wanted.name(fmt::format("{}-{}", container_id_, link)).source(source).credit_window(0).auto_accept(false);
  auto& made = receivers_[link];
  made.options = options;
  made.link = connection_.open_receiver(options.dynamic ? "" : options.address, wanted);
  made.link.add_credit(options.credit);
}

void connection::driver::make_sender(link_id link, const std::string& address) {
  proton::sender_options wanted;
  wanted.name(fmt::format("{}-{}", container_id_, link));
  auto& made = senders_[link];
  made.address = address;
  made.link = connection_.open_sender(address, wanted);
}

link_id connection::driver::id_of(const proton::link& link) const {
  const std::string name = link.name();
  const auto dash = name.rfind('-');
  return static_cast<link_id>(std::stoul(name.substr(dash + 1)));
}

void connection::driver::opened(link_id link, const std::string& asked, const std::string& got) {
  if (got.empty()) return;  // a refusal: the reason follows in the peer's detach
  if (!asked.empty() && got != asked) {
    drop_link(link);
    tell([link, asked, got](connection_events& events) {
      events.link_lost(link, {errc::not_found, fmt::format("asked for {}, the queue manager gave {}", asked, got)});
    });
    return;
  }
  post([keep = shared_from_this(), link, got] {
    keep->timers_cancel(link);
    if (keep->events_ != nullptr) keep->events_->link_opened(link, got);
  });
}

void connection::driver::on_receiver_open(proton::receiver& r) {
  const auto found = receivers_.find(id_of(r));
  if (found == receivers_.end()) return;
  const receiver_options& options = found->second.options;
  opened(found->first, options.dynamic ? "" : options.address, r.source().address());
}

void connection::driver::on_sender_open(proton::sender& s) {
  const auto found = senders_.find(id_of(s));
  if (found == senders_.end()) return;
  const std::string got = s.target().address();
  found->second.open = !got.empty();
  opened(found->first, found->second.address, got);
}

void connection::driver::ended(link_id link, const proton::error_condition& condition) {
  std::string address;
  if (const auto s = senders_.find(link); s != senders_.end())
    address = s->second.address;
  else if (const auto r = receivers_.find(link); r != receivers_.end())
    address = r->second.options.address;
  else
    return;
  drop_link(link);
  post([keep = shared_from_this(), link, why = to_error(condition, address)] {
    keep->timers_cancel(link);
    if (keep->events_ != nullptr) keep->events_->link_lost(link, why);
  });
}

void connection::driver::drop_link(link_id link) {
  std::erase_if(deliveries_, [link](const auto& entry) { return entry.second.first == link; });
  if (auto s = senders_.extract(link)) s.mapped().link.close();
  if (auto r = receivers_.extract(link)) r.mapped().link.close();
}

void connection::driver::queue_message(link_id link, send_id id, message&& content) {
  const auto found = senders_.find(link);
  if (found == senders_.end()) {
    tell([id](connection_events& events) { events.sent(id, outcome::released); });
    return;
  }
  found->second.waiting.emplace_back(id, std::move(content));
  pump(found->second);
}

void connection::driver::on_sendable(proton::sender& s) {
  if (const auto found = senders_.find(id_of(s)); found != senders_.end()) pump(found->second);
}

void connection::driver::pump(sending& via) {
  while (via.open && !via.waiting.empty() && via.link.credit() > 0) {
    auto [id, content] = std::move(via.waiting.front());
    via.waiting.pop_front();
    const proton::tracker tracker = via.link.send(amqp::to_proton(std::move(content)));
    via.unsettled[tracker.tag()] = id;
  }
}

void connection::driver::outcome_of(const proton::tracker& tracker, outcome how) {
  const auto via = senders_.find(id_of(tracker.sender()));
  if (via == senders_.end()) return;
  const auto found = via->second.unsettled.find(tracker.tag());
  if (found == via->second.unsettled.end()) return;
  tell([id = found->second, how](connection_events& events) { events.sent(id, how); });
  via->second.unsettled.erase(found);
}

void connection::driver::on_message(proton::delivery& delivery, proton::message& content) {
  const link_id link = id_of(delivery.receiver());
  const delivery_id id = ++last_delivery_;
  deliveries_.emplace(id, std::pair{link, delivery});
  // std::function wants copies to be possible; the message is large, so it travels behind a pointer.
  auto plain = std::make_shared<message>(from_proton(content));
  tell([link, id, plain](connection_events& events) { events.received(link, id, std::move(*plain)); });
}

void connection::driver::settle(delivery_id delivery, outcome how) {
  const auto found = deliveries_.find(delivery);
  if (found == deliveries_.end()) return;
  proton::delivery& held = found->second.second;
  if (how == outcome::accepted) held.accept();
  if (how == outcome::rejected) held.reject();
  if (how == outcome::released) held.release();
  if (how == outcome::modified) held.modify();
  deliveries_.erase(found);
}

void connection::driver::add_credit(link_id link, std::uint32_t count) {
  if (const auto found = receivers_.find(link); found != receivers_.end()) found->second.link.add_credit(count);
}

void connection::driver::close_connection() {
  if (!connection_.closed()) connection_.close();
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
  driver_->run_on_amqp_thread([d = driver_.get(), link, options] { d->make_receiver(link, options); });
  return link;
}

link_id connection::open_sender(const std::string& address) {
  if (driver_->events_ == nullptr) return 0;
  const link_id link = driver_->next_link(address);
  driver_->run_on_amqp_thread([d = driver_.get(), link, address] { d->make_sender(link, address); });
  return link;
}

void connection::close_link(link_id link) {
  driver_->link_ended(link);
  driver_->run_on_amqp_thread([d = driver_.get(), link] { d->drop_link(link); });
}

send_id connection::send(link_id sender, message content) {
  const send_id id = ++driver_->last_send_;
  auto moved = std::make_shared<message>(std::move(content));
  driver_->run_on_amqp_thread(
      [d = driver_.get(), sender, id, moved] { d->queue_message(sender, id, std::move(*moved)); });
  return id;
}

void connection::settle(delivery_id delivery, outcome how) {
  driver_->run_on_amqp_thread([d = driver_.get(), delivery, how] { d->settle(delivery, how); });
}

void connection::add_credit(link_id receiver, std::uint32_t count) {
  driver_->run_on_amqp_thread([d = driver_.get(), receiver, count] { d->add_credit(receiver, count); });
}

void connection::close() {
  driver_->forget_owner();
}

}  // namespace baton::amqp
