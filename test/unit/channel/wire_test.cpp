#include "agent/channel/wire.hpp"

#include <catch2/catch.hpp>

#include "test/unit/seed.hpp"

using namespace baton;
using namespace baton::channel;

TEST_CASE("channel: greetings and heads come back as they were") {
  const std::string secret(secret_bytes, '\x81');
  REQUIRE(hello(secret).size() == hello_bytes);
  CHECK(*read_hello(hello(secret)) == secret);
  REQUIRE(welcome().size() == welcome_bytes);
  CHECK(read_welcome(welcome()).ok());
  for (const auto what : {kind::frame, kind::ack}) {
    for (const std::uint32_t length : {0U, 1U, 65536U, body_bytes_max}) {
      const std::string bytes = to_bytes({length, what});
      REQUIRE(bytes.size() == head_bytes);
      const auto read = read_head(bytes);
      REQUIRE(read.ok());
      CHECK(read->length == length);
      CHECK(read->what == what);
    }
  }
}

TEST_CASE("channel: what is no greeting and no head is refused") {
  const std::string good = hello(std::string(secret_bytes, 's'));
  for (std::size_t length = 0; length < good.size(); ++length) CHECK_FALSE(read_hello(good.substr(0, length)).ok());
  CHECK_FALSE(read_hello(std::string(hello_bytes, '\0')).ok());
  std::string later = good;
  later[4] = 2;
  CHECK_THAT(read_hello(later).error().text, Catch::Contains("version 2"));
  CHECK_FALSE(read_welcome("BTNX\x01").ok());
  CHECK_FALSE(read_head(to_bytes({body_bytes_max + 1, kind::frame})).ok());
  CHECK_FALSE(read_head(std::string(head_bytes, '\0')).ok());
  CHECK_FALSE(read_head(std::string("\0\0\0\1\3", 5)).ok());
  CHECK_FALSE(read_head("abc").ok());
}
