// How long to wait before something that failed is tried again. Pure; any thread.
#pragma once

#include <algorithm>
#include <cstdint>

namespace baton {

// The first wait, doubled with each failure before (0 or more), and at most longest_ms.
inline std::int64_t doubled_wait_ms(std::int64_t first_ms, int failures, std::int64_t longest_ms) {
  return std::min(first_ms << std::min(failures, 20), longest_ms);
}

}  // namespace baton
