#include "qmgr/header.hpp"

#include <catch2/catch.hpp>
#include <random>

using namespace baton::qmgr;

namespace {
std::string bytes(std::initializer_list<int> values) {
  std::string made;
  for (const int value : values) made.push_back(static_cast<char>(value));
  return made;
}
}  // namespace

TEST_CASE("a header that was written reads the same", "[qmgr]") {
  const header written{true, 9, 123456, 7};
  const std::string section = write_header(written);
  const auto read = read_header(section + "what follows");
  REQUIRE(read);
  CHECK(read->length == section.size());
  CHECK(read->values.durable);
  CHECK(read->values.priority == 9);
  CHECK(read->values.ttl_ms == 123456);
  CHECK(read->values.delivery_count == 7);
}

TEST_CASE("a message without a header section has the defaults", "[qmgr]") {
  const auto read = read_header(bytes({0x00, 0x53, 0x77, 0xa0, 0x01, 'x'}));
  REQUIRE(read);
  CHECK(read->length == 0);
  CHECK_FALSE(read->values.durable);
  CHECK(read->values.priority == 4);
}

TEST_CASE("every encoding of the header list is understood", "[qmgr]") {
  const auto empty = read_header(bytes({0x00, 0x53, 0x70, 0x45}));
  REQUIRE(empty);
  CHECK(empty->length == 4);
  const auto small = read_header(bytes({0x00, 0x53, 0x70, 0xc0, 5, 3, 0x41, 0x50, 8, 0x43}));
  REQUIRE(small);
  CHECK(small->values.durable);
  CHECK(small->values.priority == 8);
  const auto large =
      read_header(bytes({0x00, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x70, 0xd0, 0, 0, 0, 8, 0, 0, 0, 3, 0x56, 1, 0x40, 0x40}));
  // The list says 8 bytes of content: 4 of count and 4 of fields.
  REQUIRE(large);
  CHECK(large->values.durable);
}

TEST_CASE("a priority above nine counts as nine", "[qmgr]") {
  const auto read = read_header(bytes({0x00, 0x53, 0x70, 0xc0, 4, 2, 0x42, 0x50, 200}));
  REQUIRE(read);
  CHECK(read->values.priority == 9);
}

TEST_CASE("broken headers are refused and never read past the end", "[qmgr]") {
  CHECK_FALSE(read_header(bytes({0x00, 0x53, 0x70})));
  CHECK_FALSE(read_header(bytes({0x00, 0x53, 0x70, 0xc0, 9, 5, 0x41})));
  CHECK_FALSE(read_header(bytes({0x00, 0x53, 0x70, 0xc0, 2, 1, 0xa1})));
  std::mt19937 random(20260101);
  for (int i = 0; i < 20000; ++i) {
    std::string noise = bytes({0x00, 0x53, 0x70, 0xc0});
    for (auto left = random() % 20; left > 0; --left) noise.push_back(static_cast<char>(random()));
    if (const auto read = read_header(noise)) CHECK(read->length <= noise.size());
  }
}
