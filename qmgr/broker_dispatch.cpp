// The part of the broker core that hands messages to consumers and credit to producers.
#include <algorithm>

#include "qmgr/broker.hpp"

namespace baton::qmgr {

void broker::on(credit_given& happened, std::int64_t) {
  const auto found = consumers_.find(happened.link);
  if (found == consumers_.end()) return;
  found->second.limit = happened.limit;
  found->second.drain = happened.drain;
  stirred_.insert(found->second.queue->name);
}

void broker::on(deliveries_sent& happened, std::int64_t) {
  const auto found = consumers_.find(happened.link);
  if (found == consumers_.end()) return;
  consumer& who = found->second;
  const bool was_stopped = who.unsent_bytes >= options_.unsent_bytes_max;
  while (!who.unsent.empty() && who.unsent.begin()->first <= happened.up_to) {
    who.unsent_bytes -= who.unsent.begin()->second;
    who.unsent.erase(who.unsent.begin());
  }
  if (was_stopped) stirred_.insert(who.queue->name);
}

void broker::dispatch(std::int64_t now_ms) {
  while (!stirred_.empty()) {
    const std::string name = std::move(stirred_.extract(stirred_.begin()).value());
    if (queue_state* queue = find(name)) dispatch_queue(*queue, now_ms);
  }
  replenish();
}

bool broker::can_take(const consumer& who) const {
  return who.limit > who.used && who.unsent_bytes < options_.unsent_bytes_max;
}

namespace {

bool is_one_of(link_id link, const std::vector<link_id>& links) {
  return std::find(links.begin(), links.end(), link) != links.end();
}

// Every consumer that there is called it undeliverable.
bool is_for_nobody(const entry& message, const std::vector<link_id>& consumers) {
  return !message.excluded.empty() && !consumers.empty() &&
         std::all_of(consumers.begin(), consumers.end(),
                     [&message](link_id one) { return is_one_of(one, message.excluded); });
}

}  // namespace

// Who gets the next message: the active consumer, or of several each in turn.
broker::consumer* broker::choose(queue_state& queue, const std::vector<link_id>& excluded, link_id& chosen) {
  if (queue.attributes.type == queue_type::single_active) {
    const auto active = consumers_.find(queue.active);
    chosen = queue.active;
    return active != consumers_.end() && can_take(active->second) ? &active->second : nullptr;
  }
  const std::size_t count = queue.consumers.size();
  for (std::size_t tried = 0; tried < count; ++tried) {
    const std::size_t index = (queue.turn + tried) % count;
    chosen = queue.consumers[index];
    consumer& candidate = consumers_.at(chosen);
    if (is_one_of(chosen, excluded) || !can_take(candidate)) continue;
    queue.turn = index + 1;
    return &candidate;
  }
  return nullptr;
}

void broker::dispatch_queue(queue_state& queue, std::int64_t now_ms) {
  expire(queue, now_ms);
  for (const link_id link : queue.browsers) show(queue, link, consumers_.at(link), now_ms);
  constexpr int passed_over_max = 100;
  int passed_over = 0;
  position at;
  for (const entry* next = queue.messages.first(at); next != nullptr; next = queue.messages.next(at)) {
    if (is_for_nobody(*next, queue.consumers)) {
      give_up_message(queue, at);
      continue;
    }
    link_id link = 0;
    consumer* who = choose(queue, next->excluded, link);
    if (who != nullptr) {
      hand_over(queue, at, link, *who, now_ms);
    } else if (next->excluded.empty() || ++passed_over > passed_over_max) {
      break;  // nobody has room; for a message that waits for one of them others do not wait
    }
  }
  for (const link_id link : queue.consumers) drain(queue, link, consumers_.at(link));
  for (const link_id link : queue.browsers) drain(queue, link, consumers_.at(link));
  if (queue.messages.has_expiring()) expiring_.insert(queue.name);
}

void broker::hand_over(queue_state& queue, position at, link_id link, consumer& who, std::int64_t now_ms) {
  const entry& held = queue.messages.hold(at);
  act(who.connection, delivery_of(link, who, at, held, now_ms));
  if (!who.presettled) {
    who.unsettled.emplace(who.last, at);
    return;
  }
  remove_message(queue, at);
  ++queue.counters.dequeued;
}

deliver broker::delivery_of(link_id link, consumer& who, position at, const entry& message, std::int64_t now_ms) {
  ++who.used;
  ++who.last;
  who.unsent.emplace(who.last, message.size);
  who.unsent_bytes += message.size;
  deliver made{link, who.last, who.presettled, message.head, message.body_offset, message.body, at.sequence};
  if (message.expires_ms != 0) {
    made.head.ttl_ms = static_cast<std::uint32_t>(std::max<std::int64_t>(message.expires_ms - now_ms, 1));
  }
  return made;
}

// A browser is shown what waits, once, going forward; what arrives with a higher priority behind its back it misses.
void broker::show(queue_state& queue, link_id link, consumer& who, std::int64_t now_ms) {
  while (can_take(who)) {
    const entry* next = who.cursor_set ? queue.messages.next(who.cursor) : queue.messages.first(who.cursor);
    if (next == nullptr) return;
    who.cursor_set = true;
    act(who.connection, delivery_of(link, who, who.cursor, *next, now_ms));
  }
}

// A consumer that drains gets back what nothing waits for. One that only has to be sent its bytes first is not done
// yet.
void broker::drain(const queue_state& queue, link_id link, consumer& who) {
  if (!who.drain || who.limit <= who.used) return;
  position at = who.cursor;
  const bool waiting =
      who.browse && who.cursor_set ? queue.messages.next(at) != nullptr : queue.messages.ready_count() > 0;
  const bool served = queue.active == 0 || queue.active == link || who.browse;
  if (waiting && served && who.unsent_bytes >= options_.unsent_bytes_max) return;
  who.used = who.limit;
  who.drain = false;
  act(who.connection, credit_drained{link});
}

void broker::expire(queue_state& queue, std::int64_t now_ms) {
  for (const position at : queue.messages.expired(now_ms)) {
    ++queue.counters.expired;
    const std::uint64_t dropped = queue.counters.dropped;
    give_up_message(queue, at);
    queue.counters.dropped = dropped;  // counted as expired already
  }
}

// Asked in each turn, so not of every queue: an agent has six of them.
bool broker::watches_expiry() {
  std::erase_if(expiring_, [this](const std::string& name) {
    const queue_state* queue = find(name);
    return queue == nullptr || !queue->messages.has_expiring();
  });
  return !expiring_.empty();
}

void broker::expire_all(std::int64_t now_ms) {
  for (const auto& name : expiring_) {
    if (queue_state* queue = find(name)) expire(*queue, now_ms);
  }
}

// If it went out settled it has left the queue: it stays in the store, and is there again with the next start.
void broker::body_unreadable(link_id link, std::uint64_t sequence) {
  std::erase(changes_.removed, sequence);
  const auto found = consumers_.find(link);
  if (found == consumers_.end()) return;
  act(found->second.connection, close_link{link, {"amqp:internal-error", "a stored message cannot be read"}});
  remove_link(link);
}

void broker::replenish() {
  for (auto due = credit_due_.begin(); due != credit_due_.end();) {
    producer& who = producers_.at(*due);
    if (const std::uint32_t more = who.credit.grant(ledger_)) act(who.connection, grant_credit{*due, more});
    due = who.credit.starved() ? std::next(due) : credit_due_.erase(due);
  }
}

}  // namespace baton::qmgr
