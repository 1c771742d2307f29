#include "agent/not_taken_notice.hpp"

#include <catch2/catch.hpp>

using baton::agent::not_taken_notice;

TEST_CASE("that messages are not taken is told once, and that they are again when that queue is well") {
  not_taken_notice n;
  CHECK_FALSE(n.taken("A", 0));
  CHECK(n.not_taken("A", 1000));
  CHECK_FALSE(n.not_taken("A", 2000));
  CHECK(n.told());
  CHECK_FALSE(n.taken("B", 3000));
  CHECK(n.taken("A", 3000));
  CHECK_FALSE(n.told());
  CHECK(n.not_taken("A", 4000));
}

TEST_CASE("what is taken for other queues counts after a good while") {
  not_taken_notice n;
  CHECK(n.not_taken("A", 1000));
  CHECK_FALSE(n.taken("B", 30999));
  CHECK(n.taken("B", 31000));
}
