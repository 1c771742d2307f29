#include "agent/transfer/epoch_fence.hpp"

#include <catch2/catch.hpp>

using namespace baton::transfer;
using verdict = epoch_fence::verdict;

TEST_CASE("a lower epoch is refused and a higher one is remembered") {
  epoch_fence fence;
  CHECK(fence.newest("A").epoch == 0);
  CHECK(fence.judge("A", 5, "one") == verdict::pass);
  CHECK(fence.judge("A", 4, "one") == verdict::stale);
  CHECK(fence.judge("A", 5, "one") == verdict::pass);
  CHECK(fence.judge("A", 7, "two") == verdict::pass);
  CHECK(fence.judge("A", 5, "one") == verdict::stale);
  CHECK(fence.newest("A").epoch == 7);
  CHECK(fence.newest("A").run == "two");
}

TEST_CASE("of two runs with one epoch the second is refused and the first goes on") {
  epoch_fence fence;
  CHECK(fence.judge("A", 5, "one") == verdict::pass);
  CHECK(fence.judge("A", 5, "two") == verdict::rival);
  CHECK(fence.judge("A", 5, "one") == verdict::pass);
  CHECK(fence.judge("A", 6, "two") == verdict::pass);
  CHECK(fence.judge("A", 6, "one") == verdict::rival);
}

TEST_CASE("agents do not fence each other") {
  epoch_fence fence;
  CHECK(fence.judge("A", 5, "one") == verdict::pass);
  CHECK(fence.judge("B", 1, "one") == verdict::pass);
}

TEST_CASE("a refusal is told once for each agent, epoch and run") {
  epoch_fence fence;
  CHECK(fence.first_refusal("A", 5, "one"));
  CHECK_FALSE(fence.first_refusal("A", 5, "one"));
  CHECK(fence.first_refusal("A", 5, "two"));
  CHECK(fence.first_refusal("A", 4, "one"));
  CHECK(fence.first_refusal("B", 5, "one"));
}
