// A limit on bytes per second. What is taken may exceed what is there by one helping, which is waited for afterwards.
// Pure. Loop thread.
#pragma once

#include <algorithm>
#include <cstdint>

namespace baton::transfer {

class token_bucket {
 public:
  // Bytes per second; 0: no limit. May change at any time.
  void set_rate(std::uint64_t bytes_per_s, std::int64_t now_ms) {
    fill(now_ms);
    rate_ = static_cast<std::int64_t>(std::min(bytes_per_s, rate_max));
    level_ = std::min(level_, full());
  }
  // How long nothing may be taken.
  std::int64_t wait_ms(std::int64_t now_ms) {
    fill(now_ms);
    return rate_ == 0 || level_ >= 0 ? 0 : (-level_ * 1000 + rate_ - 1) / rate_;
  }
  void take(std::uint64_t bytes, std::int64_t now_ms) {
    fill(now_ms);
    if (rate_ > 0) level_ -= static_cast<std::int64_t>(bytes);
  }

 private:
  static constexpr std::uint64_t rate_max = std::uint64_t{1} << 40;
  static constexpr std::int64_t saved_ms_max = 100;  // what was not used longer ago is not made up for

  std::int64_t full() const { return rate_ * saved_ms_max / 1000; }
  void fill(std::int64_t now_ms) {
    const std::int64_t passed_ms = std::clamp<std::int64_t>(now_ms - filled_at_ms_, 0, 1000000);
    filled_at_ms_ = now_ms;
    level_ = rate_ == 0 ? 0 : std::min(level_ + rate_ * passed_ms / 1000, full());
  }

  std::int64_t rate_ = 0;
  std::int64_t level_ = 0;  // bytes that may be taken; below 0: taken in advance
  std::int64_t filled_at_ms_ = 0;
};

}  // namespace baton::transfer
