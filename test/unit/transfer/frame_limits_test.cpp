#include "agent/transfer/frame_limits.hpp"

#include <catch2/catch.hpp>

using namespace baton::transfer;

namespace {

std::pair<std::uint32_t, std::uint32_t> of(frame_limits agreed, bool direct, std::uint64_t agent, std::uint64_t own) {
  const auto l = limits_of_path(agreed, direct, {agent, own});
  return {l.chunk_bytes, l.window_frames};
}

}  // namespace

TEST_CASE("frames are as agreed on a queue, larger and fewer on a direct channel, smaller under a limit") {
  using pair = std::pair<std::uint32_t, std::uint32_t>;
  CHECK(of({262144, 10}, false, 0, 0) == pair{262144, 10});
  CHECK(of({262144, 10}, true, 0, 0) == pair{1048576, 5});
  CHECK(of({65536, 4}, true, 0, 0) == pair{1048576, 4});
  CHECK(of({4194304, 10}, true, 0, 0) == pair{4194304, 10});
  CHECK(of({1, 1}, false, 0, 0) == pair{4096, 1});
  CHECK(of({262144, 10}, false, 800000, 0) == pair{100000, 10});
  CHECK(of({262144, 10}, true, 800000, 80000) == pair{10000, 5});
  CHECK(of({262144, 10}, true, 0, 1) == pair{4096, 5});
  CHECK(of({262144, 10}, false, UINT64_MAX, 1 << 30) == pair{262144, 10});
}
