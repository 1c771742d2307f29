// Which agents were lately not reached directly, and when that is tried again. Pure. Loop thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>

#include "common/backoff.hpp"

namespace baton::channel {

class retry_book {
 public:
  void failed(const std::string& peer, std::int64_t now_ms) {
    entry& known = entries_[peer];
    // Transfers that fail together are one failure.
    if (known.again_at_ms > now_ms) return;
    known.again_at_ms = now_ms + doubled_wait_ms(first_ms, known.failures++, longest_ms);
  }
  void worked(const std::string& peer) { entries_.erase(peer); }
  // 0: at once.
  std::int64_t again_in_ms(const std::string& peer, std::int64_t now_ms) const {
    const auto known = entries_.find(peer);
    return known == entries_.end() ? 0 : std::max<std::int64_t>(known->second.again_at_ms - now_ms, 0);
  }

 private:
  static constexpr std::int64_t first_ms = 5000, longest_ms = 300000;
  struct entry {
    int failures = 0;
    std::int64_t again_at_ms = 0;
  };
  std::map<std::string, entry> entries_;
};

}  // namespace baton::channel
