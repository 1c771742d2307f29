// Whether a queue has no more messages: what the queue manager says when it is asked (a drain), or, where it cannot
// say, that nothing came for a while. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

namespace baton::queue {

class end_of_queue {
 public:
  // Far above a round trip; only where it cannot be asked.
  static constexpr std::int64_t silence_min_ms = 500;
  enum class verdict { empty, ask, go_on };

  end_of_queue() = default;
  // `wait_ms`: an empty queue is waited on for so long.
  end_of_queue(bool can_ask, std::int64_t wait_ms)
      : can_ask_(can_ask), wait_ms_(can_ask ? wait_ms : std::max(wait_ms, silence_min_ms)) {}

  void granted(std::uint64_t messages) { credit_ += messages; }
  void came() {
    --credit_;
    came_ = true;
  }
  // Granted, and not used.
  std::uint64_t credit() const { return credit_; }
  // While it is asked no credit is granted: what is given back must be what was granted before.
  bool asking() const { return asking_; }
  // Nothing came for so long: silent() is to be called. Nothing: it says nothing, for no message can come, or it is
  // asked.
  std::optional<std::int64_t> silence_ms() const {
    return asking_ || credit_ == 0 ? std::nullopt : std::optional(wait_ms_);
  }
  verdict silent() {
    if (!can_ask_) return verdict::empty;
    came_ = false;
    return std::exchange(asking_, true) ? verdict::go_on : verdict::ask;
  }
  // The answer. Credit that comes back is a message that was not there; go_on: more has to be granted.
  verdict drained() {
    asking_ = false;
    const bool empty = std::exchange(credit_, 0) > 0;
    return empty && (!came_ || wait_ms_ == 0) ? verdict::empty : verdict::go_on;
  }

 private:
  bool can_ask_ = false;
  std::int64_t wait_ms_ = silence_min_ms;
  std::uint64_t credit_ = 0;
  bool asking_ = false;
  bool came_ = false;  // a message, since it was asked
};

}  // namespace baton::queue
