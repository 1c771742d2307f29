// The log events of one transfer on their way to the coordination queue manager. What a record says is done has to be
// in the log first, or an instance that takes over would think it was reported: who saves a record waits here for the
// events before it. Not for ever: while the coordination queue manager is away, or silent, a transfer goes on without
// it. Loop thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <utility>

#include "agent/transfer/services.hpp"

namespace baton::transfer {

inline constexpr std::int64_t log_patience_ms = 5000;

class event_log {
 public:
  explicit event_log(services& agent) : agent_(agent) {}
  ~event_log();
  event_log(const event_log&) = delete;
  event_log& operator=(const event_log&) = delete;

  void publish(const formats::log_event& event);
  // `then` is called when all that was published before is on stable storage at the coordination queue manager, or may
  // not come there; in the order of the calls. It may be called at once.
  void when_told(std::function<void()> then);

 private:
  void told(std::uint64_t number);
  void release();

  services& agent_;
  std::uint64_t last_ = 0;
  std::set<std::uint64_t> under_way_;
  std::deque<std::pair<std::uint64_t, std::function<void()>>> waiting_;  // each for the events up to a number
  event_loop::timer_id patience_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace baton::transfer
