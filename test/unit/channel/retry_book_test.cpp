#include "agent/channel/retry_book.hpp"

#include <catch2/catch.hpp>

using baton::channel::retry_book;

TEST_CASE("channel: an agent that was not reached is left alone for longer each time") {
  retry_book book;
  CHECK(book.again_in_ms("A", 0) == 0);
  std::int64_t now = 1000, before = 0;
  for (int i = 0; i < 20; ++i) {
    book.failed("A", now);
    const auto wait = book.again_in_ms("A", now);
    CHECK(wait >= before);
    CHECK(wait <= 300000);
    CHECK(book.again_in_ms("A", now + wait - 1) == 1);
    CHECK(book.again_in_ms("A", now + wait) == 0);
    before = wait;
    now += wait;
  }
  CHECK(before == 300000);
  CHECK(book.again_in_ms("B", now) == 0);
  book.worked("A");
  CHECK(book.again_in_ms("A", now) == 0);
}

TEST_CASE("channel: transfers that fail together count once") {
  retry_book book;
  for (int i = 0; i < 100; ++i) book.failed("A", 1000 + i);
  const auto wait = book.again_in_ms("A", 1000);
  book.failed("A", 1000 + wait);
  CHECK(book.again_in_ms("A", 1000 + wait) == 2 * wait);
}
