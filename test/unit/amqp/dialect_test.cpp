// The pure half of the dialects; the other half needs their brokers: test/qmgr and test/brokers.
#include "common/amqp/dialect.hpp"

#include <catch2/catch.hpp>

using namespace baton;
using amqp::broker_kind;
using amqp::dialect_of;
using formats::queue_kind;

TEST_CASE("dialect: kinds have the words of the properties") {
  CHECK(amqp::broker_kind_of("embedded") == broker_kind::embedded);
  CHECK(amqp::broker_kind_of("rabbitmq") == broker_kind::rabbitmq);
  CHECK_FALSE(amqp::broker_kind_of("RabbitMQ"));
  CHECK_FALSE(amqp::broker_kind_of(""));
}

TEST_CASE("dialect: names of queues survive the way to the wire and back") {
  for (const auto kind : {broker_kind::embedded, broker_kind::rabbitmq}) {
    for (const char* name : {"SYSTEM.FTE", "SYSTEM.FTE.COMMAND.A", "A/B", "50%", "50%2F", "a b", "\xc3\xa4", "", "/"}) {
      CHECK(dialect_of(kind).queue_of(dialect_of(kind).address_of(name)) == name);
    }
  }
  const auto& rabbitmq = dialect_of(broker_kind::rabbitmq);
  CHECK(rabbitmq.address_of("SYSTEM.FTE.HA.A/B") == "/amq/queue/SYSTEM.FTE.HA.A%2FB");
  for (const char* odd : {"PLAIN", "/queue/X", "/amq/queue/%", "/amq/queue/%2", "/amq/queue/%zz"}) {
    CHECK_NOTHROW(rabbitmq.queue_of(odd));
  }
  CHECK(rabbitmq.queue_of("PLAIN") == "PLAIN");
}

TEST_CASE("dialect: priorities keep their order and come back") {
  for (const auto kind : {broker_kind::embedded, broker_kind::rabbitmq}) {
    int last = -1;
    for (std::uint8_t priority = 0; priority <= 9; ++priority) {
      const auto on_wire = dialect_of(kind).priority_to_wire(priority);
      CHECK(on_wire > last);
      CHECK(dialect_of(kind).priority_from_wire(on_wire) == priority);
      last = on_wire;
    }
  }
  for (std::uint8_t priority = 0; priority <= 9; ++priority) {
    CHECK(dialect_of(broker_kind::rabbitmq).priority_to_wire(priority) != 4);  // it would be left out, and be 0
  }
}

TEST_CASE("dialect: rabbitmq is never sent modified") {
  using amqp::outcome;
  CHECK(dialect_of(broker_kind::embedded).outcome_to_wire(outcome::modified) == outcome::modified);
  CHECK(dialect_of(broker_kind::rabbitmq).outcome_to_wire(outcome::modified) == outcome::released);
  CHECK(dialect_of(broker_kind::rabbitmq).outcome_to_wire(outcome::accepted) == outcome::accepted);
}

TEST_CASE("dialect: who refuses a second consumer") {
  const auto& embedded = dialect_of(broker_kind::embedded);
  CHECK(embedded.refuses_second_consumer(queue_kind::exclusive));
  CHECK_FALSE(embedded.refuses_second_consumer(queue_kind::single_active));
  CHECK_FALSE(dialect_of(broker_kind::rabbitmq).refuses_second_consumer(queue_kind::exclusive));
}

TEST_CASE("dialect: scripts name every queue of the agent") {
  const auto queues = formats::agent_queues("SRC");
  for (const auto kind : {broker_kind::embedded, broker_kind::rabbitmq}) {
    const amqp::script_target target{"QM1", " -host h -port 1", "http://h:15672"};
    const auto make = dialect_of(kind).declare_script(target, queues),
               remove = dialect_of(kind).remove_script(target, queues);
    for (const auto& queue : queues) {
      CHECK(make.find(queue.name) != std::string::npos);
      CHECK(remove.find(queue.name) != std::string::npos);
    }
  }
  const auto make = dialect_of(broker_kind::rabbitmq).declare_script({"QM1", "", "http://h:15672"}, queues);
  CHECK(make.find("http://h:15672") != std::string::npos);
  CHECK(make.find("x-max-length") == std::string::npos);  // nothing may drop a token of the HA queue
  CHECK(make.find("reject-publish") == std::string::npos);
}

TEST_CASE("dialect: where management listens") {
  amqp::endpoint peer;
  peer.host = "mq.example";
  CHECK(amqp::default_management_url(peer).empty());
  peer.kind = broker_kind::rabbitmq;
  CHECK(amqp::default_management_url(peer) == "http://mq.example:15672");
  peer.host = "::1";
  CHECK(amqp::default_management_url(peer) == "http://[::1]:15672");
  peer.tls.trust = "/ca.pem";
  CHECK(amqp::default_management_url(peer) == "https://[::1]:15671");
}
