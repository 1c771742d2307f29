#include "agent/transfer/token_bucket.hpp"

#include <catch2/catch.hpp>

using baton::transfer::token_bucket;

namespace {

// Bytes that a sender gets through which takes `helping` as soon as it may.
std::uint64_t sent_in(token_bucket& bucket, std::uint64_t helping, std::int64_t from_ms, std::int64_t until_ms) {
  std::uint64_t sent = 0;
  for (std::int64_t now = from_ms; now < until_ms;) {
    const auto wait = bucket.wait_ms(now);
    now += wait;
    if (now >= until_ms) break;
    bucket.take(helping, now);
    sent += helping;
    if (wait == 0) ++now;
  }
  return sent;
}

}  // namespace

TEST_CASE("bandwidth: over some seconds it is what was set, in helpings of any size") {
  for (const std::uint64_t rate : {4096U, 100000U, 50000000U}) {
    for (const std::uint64_t helping : {512U, 4096U, 65536U}) {
      INFO(rate << " bytes per second, " << helping << " at once");
      token_bucket bucket;
      bucket.set_rate(rate, 5000);
      const auto sent = sent_in(bucket, helping, 5000, 65000);
      const std::uint64_t possible = std::min<std::uint64_t>(rate * 60, helping * 60000);  // one helping a millisecond
      CHECK(sent <= rate * 60 + rate / 5 + helping);
      CHECK(sent + rate / 5 + helping >= possible * 95 / 100);
    }
  }
}

TEST_CASE("bandwidth: without a limit nothing waits") {
  token_bucket bucket;
  for (int i = 0; i < 1000; ++i) {
    CHECK(bucket.wait_ms(i) == 0);
    bucket.take(UINT32_MAX, i);
  }
}

TEST_CASE("bandwidth: a pause is not made up for") {
  token_bucket bucket;
  bucket.set_rate(1000000, 0);
  CHECK(sent_in(bucket, 1000, 3600000, 3601000) <= 1000000 + 100000 + 2000);
}

TEST_CASE("bandwidth: the limit can be changed and taken away") {
  token_bucket bucket;
  bucket.set_rate(1000, 0);
  bucket.take(10000, 0);
  CHECK(bucket.wait_ms(0) > 9000);
  bucket.set_rate(10000, 0);
  CHECK(bucket.wait_ms(0) <= 1000);
  bucket.set_rate(0, 0);
  CHECK(bucket.wait_ms(0) == 0);
}
