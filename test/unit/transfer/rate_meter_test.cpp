#include "agent/transfer/rate_meter.hpp"

#include <catch2/catch.hpp>

using baton::transfer::rate_meter;

TEST_CASE("a rate is that of the last seconds, and tells the time that is left") {
  rate_meter rate;
  CHECK(rate.bytes_per_s() == 0);
  CHECK(rate.left_ms(100) == -1);
  rate.add(0, 1000);
  CHECK(rate.left_ms(100) == -1);
  rate.add(2000, 3000);
  CHECK(rate.bytes_per_s() == 1000);
  CHECK(rate.left_ms(500) == 500);
  for (int s = 1; s <= 20; ++s) rate.add(2000 + static_cast<std::uint64_t>(s) * 50, 3000 + s * 1000);
  CHECK(rate.bytes_per_s() == 50);
  for (int s = 1; s <= 20; ++s) rate.add(3000, 23000 + s * 1000);
  CHECK(rate.bytes_per_s() == 0);
  CHECK(rate.left_ms(1) == -1);
}

TEST_CASE("a rate begins anew when a transfer goes back") {
  rate_meter rate;
  rate.add(5000, 1000);
  rate.add(9000, 2000);
  rate.add(1000, 3000);
  CHECK(rate.bytes_per_s() == 0);
  rate.add(2000, 4000);
  CHECK(rate.bytes_per_s() == 1000);
}
