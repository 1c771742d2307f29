#include "agent/links.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "common/amqp/dialect.hpp"
#include "common/amqp/sender_cache.hpp"
#include "common/formats/queues.hpp"

namespace baton::agent {
namespace {

// Enough that a burst of requests is looked at while the records of the first are being written.
constexpr std::uint32_t command_credit = 100, reply_credit = 200;
constexpr std::uint32_t state_credit = 64;        // parts of plans, of 256 KiB each, are among what waits
constexpr std::uint32_t lock_credit = 32;         // more tokens than this are never under way at once
constexpr std::uint32_t data_silence_ms = 60000;  // of either side of an idle DATA connection
constexpr std::int64_t probe_ms = 3000;           // far above a round trip

// A note that an instance sends to its own COMMAND queue, to learn whether it has it; docs/formats.md has it.
constexpr const char* probe_subject = "agent.probe";

}  // namespace

class links::side : public amqp::connection_events {
 public:
  side(links& owner, event_loop& loop, const amqp::connection_options& options, bool stream)
      : owner_(owner),
        stream_(stream),
        senders_(
            stream,
            [&owner](const std::string& queue) { return owner.is_own(queue) || owner.under_way_.waits_for(queue); }),
        connection_(std::make_unique<amqp::connection>(loop, options, *this)) {}

  void receive(inbound from, const std::string& address, std::uint32_t credit) {
    amqp::receiver_options options;
    options.address = address;
    options.credit = credit;
    options.stream = stream_;
    if (from == inbound::lock)
      options.priority = owner_.options_.priority;
    else
      options.epoch = owner_.epoch_;
    receivers_[connection_->open_receiver(options)] = {from, credit};
  }

  void send(const std::string& address, amqp::message content, std::function<void(amqp::outcome)> settled) {
    const amqp::send_id id = senders_.send(*connection_, address, std::move(content));
    if (settled) settled_[id] = std::move(settled);
    if (stream_) return;
    owner_.under_way_.sent(id, address, boot_time_ms());
    owner_.watch();
  }

  void settle(amqp::delivery_id delivery, amqp::outcome how) {
    connection_->settle(delivery, how);
    make_room(delivery);
  }
  void make_room(amqp::delivery_id delivery) {
    const auto link = held_.extract(delivery);
    if (!link) return;
    const auto from = receivers_.find(link.mapped());
    if (from != receivers_.end() && from->second.what != inbound::state) give_back(from->first, from->second);
  }
  void add_credit(inbound to, std::uint32_t count) {
    for (auto& [link, from] : receivers_) {
      if (from.what != to) continue;
      if (to != inbound::state) from.credit += count;
      connection_->add_credit(link, count);
    }
  }

  void drop(inbound which) {
    for (const auto& [link, from] : receivers_) {
      if (from.what == which) connection_->close_link(link);
    }
    std::erase_if(receivers_, [which](const auto& entry) { return entry.second.what == which; });
  }

  void close() { connection_->close(); }
  std::uint32_t peer_idle_timeout_ms() const { return connection_->peer_idle_timeout_ms(); }

 private:
  void connection_lost(const error& why) override { owner_.broke(why); }
  void connection_opened() override {
    if (!owner_.options_.with_lock && owner_.control_.get() == this) owner_.to_.connected();
  }
  void link_opened(amqp::link_id link, const std::string&) override {
    if (const auto found = receivers_.find(link); found != receivers_.end()) owner_.opened(found->second.what);
  }
  void link_lost(amqp::link_id link, const error& why) override {
    const auto from = receivers_.find(link);
    if (from != receivers_.end()) return owner_.refused(from->second.what, why);
    const auto address = senders_.lost(link);
    if (!address) return;
    owner_.under_way_.forget(*address);
    // What was on its way to a queue of this agent is lost: a record, a mark, a token. A peer's trouble is the peer's.
    owner_.is_own(*address) ? owner_.broke(why) : owner_.to_.unreachable(*address, why);
  }
  void received(amqp::link_id link, amqp::delivery_id delivery, amqp::message&& content) override {
    const auto from = receivers_.find(link);
    if (from == receivers_.end()) return;
    const inbound what = from->second.what;
    // Tokens are held for long; there must be room for the next ones all the same.
    if (what == inbound::lock || stream_)
      give_back(link, from->second);
    else
      held_[delivery] = link;
    owner_.received(what, delivery, std::move(content));
  }
  void sent(amqp::send_id id, amqp::outcome how) override {
    if (!stream_) owner_.answered(id, how);
    if (const auto found = settled_.extract(id)) found.mapped()(how);
  }

  struct receiving {
    inbound what = inbound::lock;
    std::uint32_t credit = 0, owed = 0;
  };
  // Half of the credit at a time: each grant is a message to the queue manager.
  void give_back(amqp::link_id link, receiving& from) {
    if (2 * ++from.owed >= from.credit) connection_->add_credit(link, std::exchange(from.owed, 0));
  }

  links& owner_;
  const bool stream_;
  std::map<amqp::link_id, receiving> receivers_;
  amqp::sender_cache senders_;
  std::map<amqp::delivery_id, amqp::link_id> held_;
  std::map<amqp::send_id, std::function<void(amqp::outcome)>> settled_;
  std::unique_ptr<amqp::connection> connection_;
};

links::links(event_loop& loop, const amqp::connection_options& where, links_options options, handlers to)
    : loop_(loop), where_(where), options_(std::move(options)), to_(std::move(to)), under_way_(options_.patience_ms) {
  control_ = std::make_unique<side>(*this, loop_, where_, false);
  if (options_.with_lock) control_->receive(inbound::lock, queue_of(inbound::lock), lock_credit);
}

links::~links() {
  close();
}

std::string links::queue_of(inbound which) const {
  switch (which) {
    case inbound::lock:
      return formats::ha_queue(options_.agent);
    case inbound::command:
      return formats::command_queue(options_.agent);
    case inbound::reply:
      return formats::reply_queue(options_.agent);
    case inbound::state:
      return formats::state_queue(options_.agent);
    case inbound::data:
      return formats::data_queue(options_.agent);
  }
  return {};
}

bool links::is_own(const std::string& queue) const {
  for (const inbound one : {inbound::lock, inbound::command, inbound::reply, inbound::state, inbound::data}) {
    if (queue_of(one) == queue) return true;
  }
  return false;
}

// COMMAND first, and alone: who has it may have the others. No message is taken from it before all of STATE is known,
// or a request could come before the record that says that it is a repeated one.
void links::open_queues(std::uint64_t epoch) {
  if (over_) return;
  epoch_ = epoch;
  command_ours_ = ready_ = false;
  open_ = 0;
  control_->receive(inbound::command, queue_of(inbound::command), options_.probe ? 1 : 0);
}

void links::opened(inbound which) {
  if (over_) return;
  if (which == inbound::lock) return to_.connected();
  if (which != inbound::command) {
    if (++open_ == 3) to_.opened();
    return;
  }
  if (!options_.probe) return command_is_ours();
  // Any delivery shows that the queue is ours. One that is not gets none.
  send_probe();
  probe_timer_ = loop_.after(probe_ms, [this] { give_up_queues(inbound::command); });
}

void links::command_is_ours() {
  if (std::exchange(command_ours_, true)) return;
  loop_.cancel(probe_timer_);
  control_->receive(inbound::reply, queue_of(inbound::reply), reply_credit);
  control_->receive(inbound::state, queue_of(inbound::state), state_credit);
  data_ = std::make_unique<side>(*this, loop_, for_data(), true);
  data_->receive(inbound::data, queue_of(inbound::data), options_.data_credit);
}

// The connection for control notices when the queue manager is gone, and the next instance takes DATA by its epoch: no
// need for this one to show often that it is there.
amqp::connection_options links::for_data() const {
  amqp::connection_options options = where_;
  if (epoch_ == 0) return options;
  options.idle_timeout_ms = std::max(options.idle_timeout_ms, data_silence_ms);
  options.tolerance_ms = data_silence_ms;
  return options;
}

void links::send_probe() {
  amqp::message note;
  note.durable = false;
  note.subject = probe_subject;
  note.body = options_.run;
  note.priority = 9;
  note.ttl_ms = 60000;
  control_->send(queue_of(inbound::command), std::move(note), nullptr);
}

void links::received(inbound from, amqp::delivery_id delivery, amqp::message&& content) {
  if (over_) return;
  if (from == inbound::command) {
    command_is_ours();
    if (content.subject == probe_subject) return settle(from, delivery, amqp::outcome::accepted);
    if (!ready_) return early_.push_back({delivery, std::move(content)});
  }
  to_.received(from, delivery, std::move(content));
}

void links::take_commands() {
  if (over_ || std::exchange(ready_, true)) return;
  control_->add_credit(inbound::command, command_credit);
  for (auto& one : std::exchange(early_, {})) to_.received(inbound::command, one.delivery, std::move(one.content));
}

void links::refused(inbound which, const error& why) {
  if (over_) return;
  if (which == inbound::lock && why.code == errc::in_use) {
    close();
    return to_.lock_refused();
  }
  if (why.code == errc::in_use && !ready_) return give_up_queues(which);
  broke(why);
}

void links::give_up_queues(inbound which) {
  close_queues();
  to_.in_use(queue_of(which));
}

void links::close_queues() {
  loop_.cancel(probe_timer_);
  if (over_) return;
  for (const inbound one : {inbound::command, inbound::reply, inbound::state}) control_->drop(one);
  if (data_) data_->close();
  early_.clear();
}

void links::send(const std::string& address, amqp::message content, std::function<void(amqp::outcome)> settled) {
  if (!over_) control_->send(address, std::move(content), std::move(settled));
}

void links::send_data(const std::string& address, amqp::message content) {
  if (!over_ && data_) data_->send(address, std::move(content), nullptr);
}

void links::settle(inbound from, amqp::delivery_id delivery, amqp::outcome how) {
  if (!over_ && from != inbound::data) control_->settle(delivery, how);
}

void links::make_room(amqp::delivery_id command) {
  if (!over_) control_->make_room(command);
}

std::int64_t links::dropped_after_ms() const {
  return amqp::dialect_of(where_.peer.kind).drops_after_ms(control_->peer_idle_timeout_ms());
}

void links::add_state_credit() {
  if (!over_) control_->add_credit(inbound::state, 1);
}

// The queue manager may take nothing for a while, and does not say so.
void links::watch() {
  const auto next = under_way_.look_in_ms(boot_time_ms());
  if (!next || watch_timer_ != 0) return;
  watch_timer_ = loop_.after(*next, [this] {
    watch_timer_ = 0;
    const auto queue = under_way_.overdue(boot_time_ms());
    watch();
    if (queue) to_.not_taken(*queue, false);
  });
}

void links::answered(amqp::send_id id, amqp::outcome how) {
  const auto queue = under_way_.answered(id);
  if (!queue || over_) return;
  if (how == amqp::outcome::accepted) to_.taken(*queue);
  if (how == amqp::outcome::rejected) to_.not_taken(*queue, true);
}

void links::broke(const error& why) {
  if (over_) return;
  close();
  to_.lost(why);
}

void links::close() {
  over_ = true;
  loop_.cancel(probe_timer_);
  loop_.cancel(watch_timer_);
  control_->close();
  if (data_) data_->close();
}

}  // namespace baton::agent
