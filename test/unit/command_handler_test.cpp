#include "agent/command_handler.hpp"

#include <catch2/catch.hpp>

#include "common/formats/requests.hpp"
#include "test/unit/transfer/fake_agent.hpp"

using namespace baton;
using namespace baton::test;

namespace {

// An agent that runs nothing: what comes is queued, and offers of records are answered by hand.
struct played_commands {
  played_commands() {
    agent.change_settings().name = "SRC";
    agent.change_settings().max_queued_transfers = 10;
  }
  agent::command_handler::handlers handlers() {
    agent::command_handler::handlers to;
    to.settle = [this](amqp::delivery_id delivery) { settled.push_back(delivery); };
    to.make_room = [this](amqp::delivery_id delivery) { left.push_back(delivery); };
    to.ended = [](const std::string&) { return false; };
    to.save = [this](const formats::source_record& record, std::function<void(bool)> stored) {
      offered.emplace_back(record.transfer_id, std::move(stored));
    };
    return to;
  }
  void ask(amqp::delivery_id delivery, char digit) {
    formats::transfer_request request;
    request.id = std::string(48, digit);
    request.source_agent = "SRC";
    request.destination_agent = "DST";
    auto& spec = request.specs.emplace_back();
    spec.source = "/in/a";
    spec.destination = "/out/a";
    amqp::message m;
    m.subject = formats::subject::transfer_request;
    m.body = to_json(request);
    commands->received(delivery, std::move(m));
  }

  using deliveries = std::vector<amqp::delivery_id>;
  fake_agent agent;
  deliveries settled, left;
  std::vector<std::pair<std::string, std::function<void(bool)>>> offered;
  transfer::transfers transfers{agent, [] {}};  // not begun: nothing starts
  std::optional<agent::command_handler> commands{std::in_place, agent, transfers, handlers()};
};

}  // namespace

TEST_CASE("a request is taken when its record is kept, in the order of arrival") {
  played_commands played;
  for (const char digit : {'a', 'b', 'c'}) played.ask(static_cast<amqp::delivery_id>(digit), digit);
  REQUIRE(played.offered.size() == 3);
  played.offered[1].second(true);
  CHECK(played.settled.empty());
  played.offered[0].second(true);
  CHECK(played.settled == played_commands::deliveries{'a', 'b'});
  CHECK(played.transfers.queued() == 2);
}

TEST_CASE("a record that is refused is offered again, and others do not wait for it") {
  played_commands played;
  for (const char digit : {'a', 'b'}) played.ask(static_cast<amqp::delivery_id>(digit), digit);
  played.offered[1].second(true);
  played.offered[0].second(false);
  CHECK(played.settled == played_commands::deliveries{'b'});
  CHECK(played.left == played_commands::deliveries{'a'});
  REQUIRE(played.agent.loop().run_until([&] { return played.offered.size() == 3; }, 10000));
  CHECK(played.offered[2].first == std::string(48, 'a'));
  CHECK_FALSE(played.transfers.knows(std::string(48, 'a')));
  played.offered[2].second(true);
  CHECK(played.settled == played_commands::deliveries{'b', 'a'});
  CHECK(played.transfers.knows(std::string(48, 'a')));
}

TEST_CASE("requests that an agent which stops leaves on the queue make room for what else comes") {
  played_commands played;
  played.commands->drain();
  for (amqp::delivery_id i = 1; i <= 200; ++i) played.ask(i, 'a');
  CHECK(played.left.size() == 200);
  CHECK(played.settled.empty());
  CHECK(played.offered.empty());
}

TEST_CASE("a record that is refused is not offered again by an agent that stops, nor by one that has gone") {
  for (const bool stops : {true, false}) {
    played_commands played;
    played.ask(1, 'a');
    played.offered[0].second(false);
    stops ? played.commands->drain() : played.commands.reset();
    CHECK_FALSE(played.agent.loop().run_until([&] { return played.offered.size() > 1; }, 1500));
    CHECK(played.settled.empty());
  }
}
