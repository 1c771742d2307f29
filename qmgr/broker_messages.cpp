// The part of the broker core that takes messages in, settles them and ends them.
#include <fmt/format.h>

#include <algorithm>

#include "qmgr/broker.hpp"

namespace baton::qmgr {
namespace {

position position_of(const header& head, std::uint64_t sequence) {
  return {static_cast<std::uint8_t>(9 - head.priority), sequence};
}

const fault no_fault;

// A request is decoded, and Proton's decoder recurses: what is this short cannot nest deeply enough to do harm.
constexpr std::size_t request_bytes_max = 64 * 1024;

}  // namespace

void broker::restore_message(const stored_message& message) {
  last_sequence_ = std::max(last_sequence_, message.sequence);
  const auto queue = restored_.find(message.queue);
  if (queue == restored_.end()) {
    changes_.removed.push_back(message.sequence);  // of a queue that is gone
    return;
  }
  entry known;
  known.head = message.head;
  known.body_offset = message.body_offset;
  known.size = message.size;
  known.stored = true;
  known.expires_ms = message.expires_ms;
  known.arrived_ms = message.arrived_ms;
  if (known.expires_ms != 0) stirred_.insert(queue->second->name);
  queue->second->messages.add(position_of(message.head, message.sequence), std::move(known));
}

void broker::restored() {
  restored_.clear();
}

void broker::on(message_arrived& happened, std::int64_t now_ms) {
  const auto found = producers_.find(happened.link);
  if (found == producers_.end()) return;  // its link was closed meanwhile
  producer& from = found->second;
  uncommitted arrival{happened.link, happened.delivery, happened.presettled, "", {}};
  credit_due_.insert(happened.link);
  if (from.queue == nullptr) {
    from.credit.used(happened.body->size(), true);
    if (happened.body->size() > request_bytes_max) {
      return settle(arrival, outcome::rejected, {"amqp:resource-limit-exceeded", "the request is too large"});
    }
    settle(arrival, outcome::accepted, no_fault);
    requests_.push_back(std::move(happened));
    return;
  }
  queue_state& queue = *from.queue;
  const bool stored = happened.head.values.durable && queue.durable();
  const std::size_t size = happened.body->size();
  from.credit.used(size, stored);
  if (!stored && !ledger_.has_room(size)) {
    ++queue.counters.dropped;
    return settle(arrival, outcome::rejected,
                  {"amqp:resource-limit-exceeded", "the memory for messages that are not durable is full"});
  }
  if (!make_room(queue, size)) {
    ++queue.counters.dropped;
    return settle(arrival, outcome::rejected,
                  {"amqp:resource-limit-exceeded", fmt::format("the queue {} is full", queue.name)});
  }
  arrival.queue = queue.name;
  if (enqueue(queue, happened, now_ms, arrival.at)) {
    uncommitted_.push_back(std::move(arrival));
  } else {
    settle(arrival, outcome::accepted, no_fault);
  }
}

void broker::settle(const uncommitted& arrival, outcome how, fault why) {
  const auto from = producers_.find(arrival.link);
  if (arrival.presettled || from == producers_.end()) return;
  act(from->second.connection, settle_arrival{arrival.link, arrival.delivery, how, std::move(why)});
}

// True when the queue may take a message of this size; it may have dropped older ones for that.
bool broker::make_room(queue_state& queue, std::size_t size) {
  const queue_attributes& limits = queue.attributes;
  if (limits.bytes_max != 0 && size > limits.bytes_max) return false;  // however many go
  const auto is_full = [&] {
    return (limits.messages_max != 0 && queue.messages.depth() >= limits.messages_max) ||
           (limits.bytes_max != 0 && queue.messages.bytes() + size > limits.bytes_max);
  };
  while (is_full()) {
    const auto oldest = queue.messages.oldest_ready();
    if (limits.overflow == overflow_policy::refuse || !oldest) return false;
    remove_message(queue, *oldest);
    ++queue.counters.dropped;
  }
  return true;
}

// Whether the message has to be stored before it is accepted.
bool broker::enqueue(queue_state& queue, message_arrived& message, std::int64_t now_ms, position& at) {
  entry made;
  made.head = message.head.values;
  made.head.delivery_count = 0;  // that of the hop before is none of ours
  made.body_offset = message.head.length;
  made.size = message.body->size();
  made.stored = made.head.durable && queue.durable();
  made.arrived_ms = now_ms;
  if (made.head.ttl_ms != 0) made.expires_ms = now_ms + made.head.ttl_ms;
  made.body = std::move(message.body);
  at = position_of(made.head, ++last_sequence_);
  const bool stored = made.stored;
  if (stored) {
    changes_.added.push_back(
        {at.sequence, queue.id, made.head, made.body_offset, made.expires_ms, made.arrived_ms, made.size, made.body});
  }
  charge(made);
  queue.messages.add(at, std::move(made));
  ++queue.counters.enqueued;
  stirred_.insert(queue.name);
  return stored;
}

void broker::publish(const std::string& name, message_arrived message, std::int64_t now_ms) {
  queue_state* queue = find(name);
  position at;
  if (queue == nullptr || !make_room(*queue, message.body->size())) return;
  if (enqueue(*queue, message, now_ms, at)) uncommitted_.push_back({0, 0, true, name, at});
}

void broker::committed() {
  for (const uncommitted& arrival : uncommitted_) settle(arrival, outcome::accepted, no_fault);
  uncommitted_.clear();
}

// What was taken in goes back to its producers; what was taken out stays out and is written with the next turn.
void broker::refused(store_changes failed, const fault& why) {
  for (const uncommitted& arrival : uncommitted_) {
    queue_state* queue = find(arrival.queue);
    if (queue != nullptr && queue->messages.contains(arrival.at)) {
      discharge(queue->messages.take(arrival.at));
      --queue->counters.enqueued;
    }
    settle(arrival, outcome::rejected, why);
  }
  uncommitted_.clear();
  failed.added.clear();
  failed.moved.insert(failed.moved.end(), changes_.moved.begin(), changes_.moved.end());
  failed.removed.insert(failed.removed.end(), changes_.removed.begin(), changes_.removed.end());
  changes_ = std::move(failed);
}

void broker::on(delivery_settled& happened, std::int64_t) {
  const auto found = consumers_.find(happened.link);
  if (found == consumers_.end()) return;
  consumer& who = found->second;
  if (happened.answer) act(who.connection, settle_delivery{happened.link, happened.delivery});
  const auto held = who.unsettled.find(happened.delivery);
  if (held == who.unsettled.end()) return;  // a browser's, or settled twice
  const position at = held->second;
  who.unsettled.erase(held);
  queue_state& queue = *who.queue;
  if (happened.how == outcome::accepted) {
    remove_message(queue, at);
    ++queue.counters.dequeued;
  } else if (happened.how == outcome::rejected) {
    give_up_message(queue, at);
  } else {
    if (happened.failed) ++queue.messages.held(at).head.delivery_count;
    if (happened.undeliverable) return set_aside(queue, at, happened.link);
    queue.messages.put_back(at);
  }
  stirred_.insert(queue.name);
}

// The consumer cannot use it: another one may, if there is another.
void broker::set_aside(queue_state& queue, position at, link_id from) {
  stirred_.insert(queue.name);
  if (queue.consumers.size() < 2 || queue.attributes.type != queue_type::shared) return give_up_message(queue, at);
  auto& excluded = queue.messages.held(at).excluded;
  std::erase_if(excluded, [&queue](link_id one) {
    return std::find(queue.consumers.begin(), queue.consumers.end(), one) == queue.consumers.end();
  });
  excluded.push_back(from);
  queue.messages.put_back(at);
}

void broker::remove_message(queue_state& queue, position at) {
  const entry gone = queue.messages.take(at);
  discharge(gone);
  if (gone.stored) changes_.removed.push_back(at.sequence);
}

void broker::give_up_message(queue_state& queue, position at) {
  const std::string& name = queue.attributes.dead_letter_queue;
  queue_state* dead_letters = name.empty() ? nullptr : find(name);
  if (dead_letters == nullptr || dead_letters == &queue) {
    ++queue.counters.dropped;
    return remove_message(queue, at);
  }
  if (!make_room(*dead_letters, 0)) {
    ++dead_letters->counters.dropped;
    return remove_message(queue, at);
  }
  entry moved = queue.messages.take(at);
  moved.expires_ms = 0;
  moved.head.ttl_ms = 0;
  moved.excluded.clear();
  if (moved.stored) changes_.moved.push_back({at.sequence, dead_letters->id});
  dead_letters->messages.add(at, std::move(moved));
  ++dead_letters->counters.enqueued;
  stirred_.insert(name);
}

// Stored bodies are kept only while the cache has room; the others are read again when their turn comes.
void broker::charge(entry& message) {
  if (!message.stored) return ledger_.add(message.size);
  if (cached_ + message.size > options_.cache_bytes_max) {
    message.body.reset();
  } else {
    cached_ += message.size;
  }
}

void broker::discharge(const entry& message) {
  if (!message.stored) {
    ledger_.remove(message.size);
  } else if (message.body != nullptr) {
    cached_ -= message.size;
  }
}

}  // namespace baton::qmgr
