// What of the dialects needs no broker; the other half needs their brokers: test/qmgr and test/brokers.
#include "common/amqp/dialect.hpp"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <catch2/catch.hpp>
#include <fstream>
#include <string>
#include <vector>

#include "common/amqp/refusals.hpp"
#include "common/loop.hpp"
#include "common/text.hpp"

using namespace baton;
using amqp::broker_kind;
using amqp::dialect_of;
using amqp::outcome;
using formats::queue_kind;

namespace {

constexpr broker_kind kinds[] = {broker_kind::embedded, broker_kind::rabbitmq, broker_kind::artemis, broker_kind::qpid};

// The cells of a row of docs/brokers.md, without the name of the row.
std::vector<std::string> row(const std::string& name) {
  std::ifstream document(BATON_SOURCE_DIR "/docs/brokers.md");
  for (std::string line; std::getline(document, line);) {
    if (line.find("| \u2713 " + name + " |") != 0) continue;
    std::vector<std::string> cells;
    for (const auto& cell : split(line, '|')) cells.emplace_back(trim(cell));
    return {cells.begin() + 2, cells.begin() + 6};
  }
  return {};
}

template <class Fact>
void check_row(const std::string& name, Fact fact) {
  INFO(name);
  const auto cells = row(name);
  REQUIRE(cells.size() == std::size(kinds));
  for (std::size_t i = 0; i < cells.size(); ++i) CHECK(cells[i] == fact(dialect_of(kinds[i])));
}

}  // namespace

TEST_CASE("dialect: the document says what each kind does") {
  using amqp::dialect;
  const auto consumer = [](queue_kind kind) {
    return [kind](const dialect& d) { return d.refuses_second_consumer(kind) ? "refused" : "parked"; };
  };
  check_row("a second consumer of `SYSTEM.FTE.HA.<A>`", consumer(queue_kind::single_active));
  check_row("a second consumer of COMMAND, DATA, REPLY, STATE, `SYSTEM.FTE`", consumer(queue_kind::exclusive));
  check_row("a message for a missing queue",
            [](const dialect& d) { return d.refuses_missing_queues() ? "refused" : "dropped"; });
  check_row("modified messages", [](const dialect& d) {
    return d.outcome_to_wire(outcome::modified) == outcome::modified ? "modified" : "released";
  });
  check_row("a receiver alone on a queue that others may share",
            [](const dialect& d) { return d.has_exclusive_receivers() ? "yes" : "no"; });
  check_row("consumer priority", [](const dialect& d) { return d.has_consumer_priority() ? "yes" : "no"; });
  check_row("browse", [](const dialect& d) { return d.can_browse() ? "yes" : "no"; });
  check_row("says that a queue is empty", [](const dialect& d) { return d.can_drain() ? "yes" : "no"; });
  check_row("a settled message is gone after a durable one is accepted and", [](const dialect& d) {
    return d.settlement_lag_ms() == 0 ? std::string("at once") : fmt::format("{} ms", d.settlement_lag_ms());
  });
  check_row("answers to commands", [](const dialect& d) { return d.has_dynamic_queues() ? "dynamic" : "declared"; });
  check_row("a client that hangs is dropped after the advertised idle timeout times",
            [](const dialect& d) { return fmt::format("{}", static_cast<double>(d.drops_after_ms(1000)) / 1000); });
}

TEST_CASE("dialect: kinds have the words of the properties") {
  CHECK(amqp::broker_kind_of("embedded") == broker_kind::embedded);
  CHECK(amqp::broker_kind_of("rabbitmq") == broker_kind::rabbitmq);
  CHECK(amqp::broker_kind_of("artemis") == broker_kind::artemis);
  CHECK(amqp::broker_kind_of("qpid") == broker_kind::qpid);
  CHECK_FALSE(amqp::broker_kind_of("RabbitMQ"));
  CHECK_FALSE(amqp::broker_kind_of(""));
}

TEST_CASE("dialect: all words of the choice are known") {
  for (const auto& word : split(amqp::broker_kind_words, '|')) CHECK(amqp::broker_kind_of(word));
}

TEST_CASE("dialect: names of queues survive the way to the wire and back") {
  for (const auto kind : kinds) {
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
  for (const auto kind : kinds) {
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
  CHECK(dialect_of(broker_kind::embedded).outcome_to_wire(outcome::modified) == outcome::modified);
  CHECK(dialect_of(broker_kind::rabbitmq).outcome_to_wire(outcome::modified) == outcome::released);
  CHECK(dialect_of(broker_kind::rabbitmq).outcome_to_wire(outcome::accepted) == outcome::accepted);
}

TEST_CASE("dialect: who refuses a second consumer") {
  const auto& embedded = dialect_of(broker_kind::embedded);
  CHECK(embedded.refuses_second_consumer(queue_kind::exclusive));
  CHECK_FALSE(embedded.refuses_second_consumer(queue_kind::single_active));
  CHECK_FALSE(dialect_of(broker_kind::rabbitmq).refuses_second_consumer(queue_kind::exclusive));
  CHECK(dialect_of(broker_kind::artemis).refuses_second_consumer(queue_kind::exclusive));
  CHECK(dialect_of(broker_kind::qpid).refuses_second_consumer(queue_kind::exclusive));
}

TEST_CASE("dialect: scripts name every queue of the agent") {
  const auto queues = formats::agent_queues("SRC");
  for (const auto kind : kinds) {
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
  CHECK(make.find("sleep 2.5") > make.rfind("call --request PUT"));
}

// Whoever tries again finds the queue, and could not know that it is new. Seen to fail with a wait only after an
// answer.
TEST_CASE("dialect: a declaration on RabbitMQ without an answer waits until what it may have made is kept") {
  boost::asio::io_context context;
  const boost::asio::ip::tcp::acceptor mute(context, {boost::asio::ip::address_v4::loopback(), 0});
  amqp::connection_options where;
  where.peer.kind = broker_kind::rabbitmq;
  where.peer.management_url = fmt::format("http://127.0.0.1:{}", mute.local_endpoint().port());
  constexpr std::int64_t timeout_ms = 100;
  const auto began_ms = boot_time_ms();
  const auto made =
      dialect_of(broker_kind::rabbitmq).declare(where, {{"Q", queue_kind::shared, 0, false, false}}, timeout_ms);
  REQUIRE_FALSE(made.ok());
  CHECK(made.error().code == errc::timed_out);
  CHECK(boot_time_ms() - began_ms >= timeout_ms + 2500);
}

TEST_CASE("dialect: a quorum queue is asked for as one, and without priorities, which it has not") {
  const auto queues = formats::agent_queues("SRC");
  amqp::script_target target{"QM1", "", "http://h:15672"};
  const auto classic = dialect_of(broker_kind::rabbitmq).declare_script(target, queues);
  CHECK(classic.find("quorum") == std::string::npos);
  CHECK(classic.find("x-max-priority") != std::string::npos);
  target.quorum_queues = true;
  const auto quorum = dialect_of(broker_kind::rabbitmq).declare_script(target, queues);
  CHECK(quorum.find("\"x-queue-type\":\"quorum\"") != std::string::npos);
  CHECK(quorum.find("x-single-active-consumer") != std::string::npos);
  CHECK(quorum.find("x-max-priority") == std::string::npos);
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

TEST_CASE("dialect: what Artemis says of a second consumer and of rights is understood") {
  const auto& artemis = dialect_of(broker_kind::artemis);
  const auto meaning = [&](const char* said) { return artemis.meaning_of("amqp:internal-error", said); };
  CHECK(meaning("AMQ119005: error creating consumer, AMQ229200: Maximum Consumer Limit Reached") == errc::in_use);
  CHECK(meaning("AMQ229032: User: agent does not have permission='SEND' on address X") == errc::not_permitted);
  CHECK_FALSE(meaning("AMQ229019: Queue X already exists"));
}

TEST_CASE("refusals: a queue manager of another kind is named with the word to set") {
  amqp::endpoint peer;
  for (const auto& [product, kind, word] : {std::tuple{"RabbitMQ", broker_kind::rabbitmq, "rabbitmq"},
                                            std::tuple{"apache-activemq-artemis", broker_kind::artemis, "artemis"},
                                            std::tuple{"Apache Qpid Broker-J Core", broker_kind::qpid, "qpid"}}) {
    peer.kind = kind;
    CHECK(amqp::check_product(product, peer));
    peer.kind = broker_kind::embedded;
    const auto wrong = amqp::check_product(product, peer);
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().code == errc::bad_property);
    CHECK(wrong.error().text.find(std::string("to ") + word) != std::string::npos);
  }
  CHECK(amqp::check_product("", peer));
  CHECK(amqp::check_product("something new", peer));
}

TEST_CASE("refusals: the advice is for what was refused") {
  amqp::endpoint peer;
  const error refused_user{errc::not_permitted, "h:1: amqp:unauthorized-access: no"};
  const auto advised = [&](amqp::refused what) { return amqp::with_advice(refused_user, what, peer).text; };
  CHECK(advised(amqp::refused::connection).find("name a credentials file") != std::string::npos);
  peer.user = "ann";
  peer.password = "secret";
  CHECK(advised(amqp::refused::connection).find("the user 'ann' in") != std::string::npos);
  CHECK(advised(amqp::refused::queue).find("SYSTEM.FTE.#") != std::string::npos);
  CHECK(advised(amqp::refused::connection).find("secret") == std::string::npos);
  CHECK(amqp::with_advice({errc::conflict, "x"}, amqp::refused::queue, peer).text == "x");
}
