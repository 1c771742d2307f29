// What the dialect does over the management API, and what it says on the wire.
#include <catch2/catch.hpp>

#include "client.hpp"
#include "common/random.hpp"

using namespace baton;
using namespace baton::test;
using formats::queue_kind;

namespace {
const amqp::dialect& speech = amqp::rabbitmq_dialect();
}

TEST_CASE("rabbitmq: queues are made, found and removed") {
  const auto where = rabbitmq();
  const std::string name = "TEST.A/B." + random_hex(8);
  CHECK_FALSE(*speech.exists(where, name, deadline_ms));
  CHECK(speech.purge(where, name, deadline_ms).error().code == errc::not_found);
  for (int twice = 0; twice < 2; ++twice) {
    REQUIRE(speech.declare(where, {{name, queue_kind::exclusive, 0, false, false}}, deadline_ms).ok());
  }
  CHECK(*speech.exists(where, name, deadline_ms));
  for (int twice = 0; twice < 2; ++twice) REQUIRE(speech.remove(where, {name}, deadline_ms).ok());
  CHECK_FALSE(*speech.exists(where, name, deadline_ms));
}

TEST_CASE("rabbitmq: a queue with other attributes is a conflict that names it") {
  const own_queue queue(queue_kind::shared);
  const auto again =
      speech.declare(rabbitmq(), {{queue.name, queue_kind::single_active, 0, false, false}}, deadline_ms);
  REQUIRE_FALSE(again.ok());
  CHECK(again.error().code == errc::conflict);
  CHECK(again.error().text.find(queue.name) != std::string::npos);
  CHECK(again.error().text.find("x-single-active-consumer") != std::string::npos);
}

TEST_CASE("rabbitmq: a limit drops the oldest") {
  const std::string name = "TEST." + random_hex(8);
  REQUIRE(speech.declare(rabbitmq(), {{name, queue_kind::shared, 2, true, false}}, deadline_ms).ok());
  client c(rabbitmq());
  const auto to = c.sender(name);
  for (const char* body : {"1", "2", "3"}) c.send(to, text(body));
  c.receiver(name, 10);
  CHECK(c.take().content.body == "2");
  CHECK(c.take().content.body == "3");
  CHECK(speech.remove(rabbitmq(), {name}, deadline_ms).ok());
}

TEST_CASE("rabbitmq: purge throws away what waits") {
  const own_queue queue;
  client c(rabbitmq());
  const auto to = c.sender(queue.name);
  c.send(to, text("old"));
  REQUIRE(speech.purge(rabbitmq(), queue.name, deadline_ms).ok());
  c.send(to, text("new"));
  c.receiver(queue.name);
  CHECK(c.take().content.body == "new");
}

TEST_CASE("rabbitmq: a management that refuses or does not answer is an error of that kind") {
  auto where = rabbitmq();
  where.peer.user = "nobody";
  CHECK(speech.exists(where, "Q", deadline_ms).error().code == errc::not_permitted);
  where.peer.management_url = "http://127.0.0.1:1";
  const auto made = speech.declare(where, {{"Q", queue_kind::shared, 0, false, false}}, deadline_ms);
  CHECK(made.error().code == errc::unreachable);
  CHECK(made.error().text.find("queue Q") != std::string::npos);
}
