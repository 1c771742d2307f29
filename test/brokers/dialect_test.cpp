// What the dialect does over the management API, and what it says on the wire.
#include <catch2/catch.hpp>

#include "client.hpp"
#include "common/random.hpp"

using namespace baton;
using namespace baton::test;
using formats::queue_kind;

TEST_CASE("broker: queues are made, found and removed") {
  const auto where = broker();
  const std::string name = "SYSTEM.FTE.TEST.A/B." + random_hex(8);
  CHECK_FALSE(*speech().exists(where, name, deadline_ms));
  CHECK(speech().purge(where, name, deadline_ms).error().code == errc::not_found);
  for (int twice = 0; twice < 2; ++twice) {
    REQUIRE(speech().declare(where, {{name, queue_kind::exclusive, 0, false, false}}, deadline_ms).ok());
  }
  CHECK(*speech().exists(where, name, deadline_ms));
  for (int twice = 0; twice < 2; ++twice) REQUIRE(speech().remove(where, {name}, deadline_ms).ok());
  CHECK_FALSE(*speech().exists(where, name, deadline_ms));
}

// Not less than what common/amqp/dialect.hpp says. Seen to fail with a declaration that does not wait.
TEST_CASE("broker: a queue that is new on RabbitMQ is used when it is kept") {
  if (broker().peer.kind != amqp::broker_kind::rabbitmq) return;
  const auto began_ms = boot_time_ms();
  const own_queue queue;
  CHECK(boot_time_ms() - began_ms >= 2500);
}

TEST_CASE("broker: a queue with other attributes is a conflict that names it") {
  const own_queue queue(queue_kind::shared);
  const auto again =
      speech().declare(broker(), {{queue.name, queue_kind::single_active, 0, false, false}}, deadline_ms);
  REQUIRE_FALSE(again.ok());
  CHECK(again.error().code == errc::conflict);
  CHECK(again.error().text.find(queue.name) != std::string::npos);
  const std::map<amqp::broker_kind, std::string> differs{{amqp::broker_kind::embedded, "attributes"},
                                                         {amqp::broker_kind::rabbitmq, "x-single-active-consumer"},
                                                         {amqp::broker_kind::artemis, "exclusive"},
                                                         {amqp::broker_kind::qpid, "messageGroupType"}};
  INFO(again.error().text);
  CHECK(again.error().text.find(differs.at(broker().peer.kind)) != std::string::npos);
}

TEST_CASE("broker: a limit drops the oldest") {
  const std::string name = "SYSTEM.FTE.TEST." + random_hex(8);
  REQUIRE(speech().declare(broker(), {{name, queue_kind::shared, 2, true, false}}, deadline_ms).ok());
  client c(broker());
  const auto to = c.sender(name);
  for (const char* body : {"1", "2", "3"}) c.send(to, text(body));
  c.receiver(name, 10);
  CHECK(c.take().content.body == "2");
  CHECK(c.take().content.body == "3");
  CHECK(speech().remove(broker(), {name}, deadline_ms).ok());
}

TEST_CASE("broker: purge throws away what waits") {
  const own_queue queue;
  client c(broker());
  const auto to = c.sender(queue.name);
  c.send(to, text("old"));
  REQUIRE(speech().purge(broker(), queue.name, deadline_ms).ok());
  c.send(to, text("new"));
  c.receiver(queue.name);
  CHECK(c.take().content.body == "new");
}

TEST_CASE("broker: a management that refuses or does not answer is an error of that kind") {
  auto where = broker();
  if (!where.peer.user.empty()) {
    where.peer.user = "nobody";
    CHECK(speech().exists(where, "Q", deadline_ms).error().code == errc::not_permitted);
  }
  where.peer.management_url = "http://127.0.0.1:1";
  where.peer.port = 1;
  const auto made = speech().declare(where, {{"Q", queue_kind::shared, 0, false, false}}, deadline_ms);
  CHECK(made.error().code == errc::unreachable);
  CHECK(made.error().text.find(":1") != std::string::npos);
}

TEST_CASE("broker: every queue of an agent and of a topology can be declared, and again") {
  for (const auto& queues : {formats::agent_queues("TEST"), formats::coordination_queues()}) {
    for (int twice = 0; twice < 2; ++twice) {
      const auto made = speech().declare(broker(), queues, deadline_ms);
      INFO((made ? "" : made.error().text));
      CHECK(made.ok());
    }
    std::vector<std::string> names;
    for (const auto& queue : queues) names.push_back(queue.name);
    CHECK(speech().remove(broker(), names, deadline_ms).ok());
  }
}
