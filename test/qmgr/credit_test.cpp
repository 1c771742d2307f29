#include "qmgr/credit.hpp"

#include <catch2/catch.hpp>
#include <vector>

using namespace baton::qmgr;

TEST_CASE("a producer of stored messages gets a window of messages and of bytes", "[qmgr]") {
  memory_ledger ledger(1 << 20);
  producer_credit small, large;
  CHECK(small.grant(ledger) == first_credit);
  small.used(1000, true);
  CHECK(small.grant(ledger) == credit_window - first_credit + 1);
  CHECK(large.grant(ledger) == first_credit);
  for (std::uint32_t i = 0; i < first_credit; ++i) large.used(1 << 20, true);
  CHECK(large.grant(ledger) == stored_window_bytes / memory_ledger::cost(1 << 20));
}

TEST_CASE("credit comes in big steps", "[qmgr]") {
  memory_ledger ledger(1 << 20);
  producer_credit one;
  one.grant(ledger);
  one.used(10, true);
  one.grant(ledger);
  for (int i = 0; i < 49; ++i) {
    one.used(10, true);
    CHECK(one.grant(ledger) == 0);
  }
  one.used(10, true);
  CHECK(one.grant(ledger) == 50);
}

TEST_CASE("full memory starves producers of messages that are not stored, and only those", "[qmgr]") {
  memory_ledger ledger(1 << 20);
  producer_credit bulk, stored;
  bulk.grant(ledger);
  stored.grant(ledger);
  for (std::uint32_t i = 0; i < first_credit; ++i) {
    bulk.used(100 * 1024, false);
    stored.used(100 * 1024, true);
    if (ledger.has_room(100 * 1024)) ledger.add(100 * 1024);
  }
  CHECK(bulk.grant(ledger) == 0);
  CHECK(bulk.starved());
  CHECK(stored.grant(ledger) > 0);
  CHECK(ledger.has_room(1000));  // the last eighth is for small ones
  CHECK_FALSE(ledger.has_room(100 * 1024));
  for (int i = 0; i < 8; ++i) ledger.remove(100 * 1024);
  CHECK(bulk.grant(ledger) > 0);
}

TEST_CASE("all promises together stay near the memory there is", "[qmgr]") {
  memory_ledger ledger(64 << 20);
  std::vector<producer_credit> many(50);
  for (auto& one : many) {
    one.grant(ledger);
    for (std::uint32_t i = 0; i < first_credit; ++i) one.used(256 * 1024, false);
    one.grant(ledger);
  }
  // Beyond the budget each producer may still have two messages under way.
  CHECK(ledger.promised() <= (64u << 20) + 50u * 2 * memory_ledger::cost(256 * 1024));
  for (auto& one : many) one.forget(ledger);
  CHECK(ledger.promised() == 0);
}
