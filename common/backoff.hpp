// How long to wait before something that failed is tried again. Pure; any thread.
#pragma once

#include <algorithm>
#include <cstdint>

namespace baton {

// The first wait, doubled with each failure before (0 or more), and at most longest_ms.
inline std::int64_t doubled_wait_ms(std::int64_t first_ms, int failures, std::int64_t longest_ms) {
  return std::min(first_ms << std::min(failures, 20), longest_ms);
}

// Failures until a list of so many addresses has been tried: each of them, and the one that was lost a second time.
inline int tries_of_round(int addresses) {
  return addresses > 1 ? addresses + 1 : 1;
}

// With several addresses the next one is tried at once, and only between two rounds there is a wait; 0: none. For the
// first rounds it stays short: of several queue managers one is about to take over, and who waits must not be late.
inline std::int64_t round_wait_ms(std::int64_t first_ms, int failures, std::int64_t longest_ms, int addresses) {
  constexpr int quick_rounds = 20;
  constexpr std::int64_t quick_ms = 1000;
  const int tries = tries_of_round(addresses), round = failures / tries;
  if ((failures + 1) % tries != 0) return 0;
  if (addresses == 1) return doubled_wait_ms(first_ms, round, longest_ms);
  if (round < quick_rounds) return doubled_wait_ms(first_ms, round, std::min(quick_ms, longest_ms));
  return doubled_wait_ms(quick_ms, round - quick_rounds + 1, longest_ms);
}

}  // namespace baton
