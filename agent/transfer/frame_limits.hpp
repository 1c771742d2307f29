// How large the frames of a source are, and how many of them may be under way. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>

namespace baton::transfer {

struct frame_limits {
  std::uint32_t chunk_bytes = 0, window_frames = 0;
};

// What both sides can do.
inline frame_limits smaller_of(const frame_limits& a, const frame_limits& b) {
  return {std::min(a.chunk_bytes, b.chunk_bytes), std::min(a.window_frames, b.window_frames)};
}

// How many frames one acknowledgement may stand for: half of what may be under way, so that nobody waits for it.
inline std::uint32_t frames_per_ack(const frame_limits& l) {
  return std::max<std::uint32_t>(l.window_frames / 2, 1);
}

// `agreed` is what both sides want. On a direct channel each frame costs more than its bytes, so they are larger and
// fewer there; where a limit (bytes per second, 0: none) would make a pause of each frame they are smaller.
inline frame_limits limits_of_path(const frame_limits& agreed, bool direct,
                                   std::initializer_list<std::uint64_t> bytes_per_s) {
  constexpr std::uint32_t chunk_bytes_min = 4096;  // whatever the other side says: room for a record and its data
  constexpr std::uint32_t direct_bytes = 1 << 20, direct_window_min = 4;
  constexpr std::uint64_t frames_per_s = 8;
  frame_limits l{std::max(agreed.chunk_bytes, chunk_bytes_min), agreed.window_frames};
  if (direct && l.chunk_bytes < direct_bytes) {
    const std::uint32_t factor = direct_bytes / l.chunk_bytes;
    l.chunk_bytes *= factor;
    l.window_frames = std::max(2 * l.window_frames / factor, direct_window_min);
  }
  for (const std::uint64_t limit : bytes_per_s) {
    if (limit == 0 || limit / frames_per_s >= l.chunk_bytes) continue;
    l.chunk_bytes = std::max(static_cast<std::uint32_t>(limit / frames_per_s), chunk_bytes_min);
  }
  return l;
}

}  // namespace baton::transfer
