// How fast a transfer has been lately: from what was counted in the last seconds. Pure.
#pragma once

#include <cstdint>
#include <deque>

namespace baton::transfer {

class rate_meter {
 public:
  // `bytes`: moved so far. When that falls, since something is repeated, the counting begins anew.
  void add(std::uint64_t bytes, std::int64_t now_ms) {
    if (!seen_.empty() && bytes < seen_.back().bytes) seen_.clear();
    seen_.push_back({bytes, now_ms});
    while (seen_.size() > 2 && seen_[1].at_ms <= now_ms - window_ms) seen_.pop_front();
  }
  // 0: nothing moves, or not known yet.
  std::uint64_t bytes_per_s() const {
    if (seen_.empty() || seen_.back().at_ms <= seen_.front().at_ms) return 0;
    const auto ms = static_cast<double>(seen_.back().at_ms - seen_.front().at_ms);
    return static_cast<std::uint64_t>(static_cast<double>(seen_.back().bytes - seen_.front().bytes) * 1000 / ms);
  }
  // Until `bytes` more have been moved; -1: not known.
  std::int64_t left_ms(std::uint64_t bytes) const {
    const std::uint64_t rate = bytes_per_s();
    return rate == 0 ? -1 : static_cast<std::int64_t>(static_cast<double>(bytes) * 1000 / static_cast<double>(rate));
  }

 private:
  static constexpr std::int64_t window_ms = 10000;
  struct moment {
    std::uint64_t bytes = 0;
    std::int64_t at_ms = 0;
  };
  std::deque<moment> seen_;
};

}  // namespace baton::transfer
