#include "common/amqp/qmgr_choice.hpp"

#include <catch2/catch.hpp>
#include <set>

using baton::amqp::qmgr_choice;

TEST_CASE("a list is tried in its order, without a wait before its end") {
  qmgr_choice c({.count = 3});
  CHECK(c.current() == 0);
  CHECK_FALSE(c.away());
  CHECK(c.failed() == 0);
  CHECK(c.current() == 1);
  CHECK(c.away());
  CHECK(c.failed() == 0);
  CHECK(c.current() == 2);
  CHECK(c.failed() == 0);
  CHECK(c.current() == 0);
}

TEST_CASE("between two rounds through a list that is all down the waits grow to their limit, and are never none") {
  qmgr_choice c({.count = 2, .first_wait_ms = 100, .longest_wait_ms = 1000});
  std::vector<std::int64_t> waits;
  int at_once = 0;
  for (int i = 0; i < 30; ++i) {
    const auto wait = c.failed();
    if (wait > 0) waits.push_back(wait);
    at_once = wait > 0 ? 0 : at_once + 1;
    CHECK(at_once <= 2);  // no more tries in a row than the list has, without a wait
  }
  REQUIRE(waits.size() == 10);
  CHECK(waits[0] >= 90);
  CHECK(waits[0] <= 100);
  CHECK(waits[1] >= 180);
  CHECK(waits[1] <= 200);
  CHECK(waits.back() >= 900);
  CHECK(waits.back() <= 1000);
}

TEST_CASE("the first twenty rounds are a second apart at most, for one of the list may be about to take over") {
  qmgr_choice c({.count = 2, .first_wait_ms = 100, .longest_wait_ms = 30000});
  std::vector<std::int64_t> waits;
  while (waits.size() < 30) {
    if (const auto wait = c.failed(); wait > 0) waits.push_back(wait);
  }
  for (std::size_t i = 0; i < 20; ++i) CHECK(waits[i] <= 1000);
  CHECK(waits[20] >= 1800);
  CHECK(waits[29] >= 27000);
  CHECK(waits[29] <= 30000);
}

TEST_CASE("the one that was lost is tried once more, then the list from its start") {
  qmgr_choice c({.count = 3});
  c.failed();
  c.connected();
  CHECK(c.current() == 1);
  CHECK(c.failed() == 0);
  CHECK(c.current() == 1);
  CHECK(c.second_try());
  CHECK(c.failed() == 0);
  CHECK(c.current() == 0);
  CHECK_FALSE(c.second_try());
  c.failed();
  CHECK(c.current() == 2);
}

TEST_CASE("queue managers that take a connection and drop it are not tried without a wait for ever") {
  qmgr_choice c({.count = 2});
  int waits = 0;
  for (int i = 0; i < 30; ++i) {
    c.connected();
    waits += c.failed() > 0;
  }
  CHECK(waits == 10);
}

TEST_CASE("a single one is waited for each time, and never tried in haste") {
  qmgr_choice c({.count = 1});
  for (int i = 0; i < 5; ++i) {
    CHECK(c.failed() > 0);
    CHECK(c.current() == 0);
    CHECK_FALSE(c.second_try());
    CHECK_FALSE(c.away());
  }
}

TEST_CASE("going back begins at the start of the list, whatever was connected") {
  qmgr_choice c({.count = 2});
  c.failed();
  c.connected();
  CHECK(c.away());
  c.begin_again();
  CHECK(c.current() == 0);
  c.failed();
  CHECK(c.current() == 1);
}

TEST_CASE("a random order has all of the list in each pass, and prefers none") {
  std::set<std::size_t> first;
  for (std::uint64_t seed = 1; seed < 40; ++seed) {
    qmgr_choice c({.count = 3, .randomize = true, .seed = seed});
    first.insert(c.current());
    std::set<std::size_t> pass{c.current()};
    for (int i = 0; i < 2; ++i) {
      c.failed();
      pass.insert(c.current());
      CHECK_FALSE(c.away());
    }
    CHECK(pass.size() == 3);
  }
  CHECK(first.size() == 3);
}
