// The messages of one queue, in memory: those that wait ("ready") and those that a consumer has ("held"). Pure: no
// clock, no links, no store. Loop thread only.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "qmgr/events.hpp"

namespace baton::qmgr {

// Where a message stands: higher priority first, then order of arrival. It keeps this position when it comes back.
struct position {
  std::uint8_t rank = 0;       // 9 - priority
  std::uint64_t sequence = 0;  // order of arrival over all queues; the key in the store
  auto operator<=>(const position&) const = default;
};

struct entry {
  header head;  // as it arrived, with the delivery count of now
  std::size_t body_offset = 0;
  std::size_t size = 0;           // bytes of the whole message
  payload_ptr body;               // missing: only in the store
  bool stored = false;            // is in the store, or on its way there in this turn
  std::int64_t expires_ms = 0;    // wall clock; 0: never
  std::int64_t arrived_ms = 0;    // wall clock
  std::vector<link_id> excluded;  // the consumers that called it undeliverable
};

class message_queue {
 public:
  void add(position at, entry message);

  // The first that waits, or the first that waits behind a position.
  const entry* first(position& at) const;
  const entry* next(position& at) const;
  // The one that arrived first of all that wait.
  std::optional<position> oldest_ready() const;

  entry& hold(position at);  // ready -> held
  entry& held(position at);  // must be held
  bool is_held(position at) const;
  void put_back(position at);  // held -> ready, at its old place
  entry take(position at);     // removed, ready or held
  bool contains(position at) const;

  // Those that wait although their time is over.
  std::vector<position> expired(std::int64_t now_ms) const;
  std::vector<position> ready_positions() const;
  std::vector<position> all_positions() const;

  std::size_t depth() const { return ready_.size() + held_.size(); }
  std::size_t ready_count() const { return ready_.size(); }
  std::size_t held_count() const { return held_.size(); }
  std::uint64_t bytes() const { return bytes_; }
  bool has_expiring() const { return !expiring_.empty(); }
  std::optional<std::int64_t> oldest_arrival_ms() const;

 private:
  using entries = std::map<position, entry>;
  void watch_expiry(position at, const entry& message);
  void unwatch_expiry(position at, const entry& message);

  entries ready_, held_;
  std::set<std::pair<std::int64_t, position>> expiring_;  // of the ready ones, by time
  std::uint64_t bytes_ = 0;
};

}  // namespace baton::qmgr
