#include "qmgr/queue.hpp"

#include <algorithm>
#include <stdexcept>

namespace baton::qmgr {
namespace {

constexpr std::uint8_t ranks = 10;

// The first of each rank is the oldest of that rank, so ten look-ups find the oldest of all.
template <class Entries>
auto oldest_of(const Entries& entries) {
  auto oldest = entries.end();
  for (std::uint8_t rank = 0; rank < ranks; ++rank) {
    const auto found = entries.lower_bound(position{rank, 0});
    if (found == entries.end()) break;
    if (oldest == entries.end() || found->first.sequence < oldest->first.sequence) oldest = found;
  }
  return oldest;
}

}  // namespace

void message_queue::add(position at, entry message) {
  bytes_ += message.size;
  const auto [place, fresh] = ready_.emplace(at, std::move(message));
  if (!fresh) throw std::logic_error("queue: two messages at one position");
  watch_expiry(at, place->second);
}

const entry* message_queue::first(position& at) const {
  if (ready_.empty()) return nullptr;
  at = ready_.begin()->first;
  return &ready_.begin()->second;
}

const entry* message_queue::next(position& at) const {
  const auto found = ready_.upper_bound(at);
  if (found == ready_.end()) return nullptr;
  at = found->first;
  return &found->second;
}

std::optional<position> message_queue::oldest_ready() const {
  const auto oldest = oldest_of(ready_);
  if (oldest == ready_.end()) return std::nullopt;
  return oldest->first;
}

entry& message_queue::hold(position at) {
  auto node = ready_.extract(at);
  if (node.empty()) throw std::logic_error("queue: hold of a message that does not wait");
  unwatch_expiry(at, node.mapped());
  return held_.insert(std::move(node)).position->second;
}

entry& message_queue::held(position at) {
  return held_.at(at);
}
bool message_queue::is_held(position at) const {
  return held_.contains(at);
}
bool message_queue::contains(position at) const {
  return held_.contains(at) || ready_.contains(at);
}

void message_queue::put_back(position at) {
  auto node = held_.extract(at);
  if (node.empty()) throw std::logic_error("queue: put back of a message that nobody holds");
  watch_expiry(at, node.mapped());
  ready_.insert(std::move(node));
}

entry message_queue::take(position at) {
  auto node = held_.extract(at);
  if (node.empty()) {
    node = ready_.extract(at);
    if (node.empty()) throw std::logic_error("queue: take of a message that is not there");
    unwatch_expiry(at, node.mapped());
  }
  bytes_ -= node.mapped().size;
  return std::move(node.mapped());
}

std::vector<position> message_queue::expired(std::int64_t now_ms) const {
  std::vector<position> found;
  for (const auto& [when, at] : expiring_) {
    if (when > now_ms) break;
    found.push_back(at);
  }
  return found;
}

std::vector<position> message_queue::ready_positions() const {
  std::vector<position> found;
  found.reserve(ready_.size());
  for (const auto& [at, unused] : ready_) found.push_back(at);
  return found;
}

std::vector<position> message_queue::all_positions() const {
  std::vector<position> found = ready_positions();
  for (const auto& [at, unused] : held_) found.push_back(at);
  return found;
}

std::optional<std::int64_t> message_queue::oldest_arrival_ms() const {
  std::optional<std::int64_t> oldest;
  for (const entries* part : {&ready_, &held_}) {
    const auto found = oldest_of(*part);
    if (found == part->end()) continue;
    oldest = std::min(oldest.value_or(found->second.arrived_ms), found->second.arrived_ms);
  }
  return oldest;
}

void message_queue::watch_expiry(position at, const entry& message) {
  if (message.expires_ms != 0) expiring_.emplace(message.expires_ms, at);
}

void message_queue::unwatch_expiry(position at, const entry& message) {
  if (message.expires_ms != 0) expiring_.erase({message.expires_ms, at});
}

}  // namespace baton::qmgr
