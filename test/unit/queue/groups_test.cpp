#include "agent/queue/groups.hpp"

#include <catch2/catch.hpp>

using namespace baton::queue;

namespace {
using numbers = std::vector<std::size_t>;
}

TEST_CASE("a group is complete when it has each number and its last message") {
  groups seen;
  CHECK(seen.add({"a", 1, false}).empty());
  CHECK(seen.add({"a", 2, false}).empty());
  CHECK(seen.add({"a", 3, true}) == numbers{0, 1, 2});
  CHECK(seen.count() == 3);
}

TEST_CASE("messages of a group may come in any order, mixed with others'") {
  groups seen;
  CHECK(seen.add({"a", 2, true}).empty());
  CHECK(seen.add({"b", 1, false}).empty());
  CHECK(seen.add({"", 1, true}).empty());
  CHECK(seen.add({"b", 3, true}).empty());
  CHECK(seen.add({"a", 1, false}) == numbers{4, 0});
}

TEST_CASE("a group is numbered from 0 or from 1") {
  groups seen;
  CHECK(seen.add({"a", 0, false}).empty());
  CHECK(seen.add({"a", 1, true}) == numbers{0, 1});
  CHECK(seen.add({"b", 1, true}) == numbers{2});
  CHECK(seen.add({"c", 0, true}) == numbers{3});
  CHECK(seen.add({"d", 2, true}).empty());
}

TEST_CASE("a group that began at 1 and lacks its 0 is not told from one that begins at 1") {
  groups seen;
  CHECK(seen.add({"a", 1, false}).empty());
  CHECK(seen.add({"a", 2, true}) == numbers{0, 1});
}

TEST_CASE("a number that comes twice, or behind the last, makes no group complete") {
  groups seen;
  CHECK(seen.add({"a", 1, false}).empty());
  CHECK(seen.add({"a", 1, true}).empty());
  CHECK(seen.add({"b", 3, false}).empty());
  CHECK(seen.add({"b", 2, true}).empty());
  CHECK(seen.add({"b", 1, false}).empty());
}
