#include "properties/qmgr_urls.hpp"

#include <catch2/catch.hpp>

using namespace baton;

TEST_CASE("urls: in their order, with the usual ports where none is named") {
  const auto found = parse_qmgr_urls("amqp://one.example:61616, AMQPS://two.example ,amqp://[::1]:7,amqp://10.0.0.1/");
  REQUIRE(found.ok());
  REQUIRE(found->size() == 4);
  CHECK((*found)[0].host == "one.example");
  CHECK((*found)[0].port == 61616);
  CHECK_FALSE((*found)[0].tls);
  CHECK((*found)[1].host == "two.example");
  CHECK((*found)[1].port == 5671);
  CHECK((*found)[1].tls);
  CHECK((*found)[2].host == "::1");
  CHECK((*found)[2].port == 7);
  CHECK((*found)[3].host == "10.0.0.1");
  CHECK((*found)[3].port == 5672);
}

TEST_CASE("urls: what is wrong is refused, and says which one it is") {
  for (const char* bad : {"one.example:5672",
                          "http://one.example",
                          "https://one.example",
                          "tcp://one.example",
                          "amqp://",
                          "amqp://:5672",
                          "amqp://h:0",
                          "amqp://h:65536",
                          "amqp://h:x",
                          "amqp://h:",
                          "amqp://h/queue",
                          "amqp://h?x=1",
                          "amqp://[::1",
                          "amqp://[::1]x",
                          "amqp://a amqp://b",
                          "amqp://a,,amqp://b",
                          "amqp://a,",
                          ",amqp://a",
                          "amqp://a:1,amqp://a:1",
                          " "}) {
    INFO(bad);
    const auto found = parse_qmgr_urls(bad);
    REQUIRE_FALSE(found.ok());
    CHECK(found.error().code == errc::bad_property);
  }
  CHECK(parse_qmgr_urls("amqp://a,http://b.example").error().text.find("http://b.example") != std::string::npos);
}

TEST_CASE("urls: a password in one is refused and not shown") {
  const auto found = parse_qmgr_urls("amqp://me:secret@h:5672");
  REQUIRE_FALSE(found.ok());
  CHECK(found.error().text.find("credentials file") != std::string::npos);
  CHECK(found.error().text.find("secret") == std::string::npos);
}
