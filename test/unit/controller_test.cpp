#include "agent/controller.hpp"

#include <catch2/catch.hpp>

#include "agent/exit_codes.hpp"

using namespace baton::agent;
namespace decision = controller_decision;

namespace {

constexpr int died = -1;

std::int64_t delay_of(const controller_output& made) {
  REQUIRE(std::holds_alternative<decision::start_again>(made));
  return std::get<decision::start_again>(made).delay_ms;
}

}  // namespace

TEST_CASE("an agent that stopped as told is not started again") {
  controller_machine machine{{}};
  CHECK(std::holds_alternative<decision::end>(machine.agent_ended(exit_stopped, 0)));
  CHECK(std::holds_alternative<decision::end>(machine.agent_ended(exit_cannot_run, 0)));
  CHECK(machine.restarts() == 0);
}

TEST_CASE("five ends within two minutes are given up") {
  controller_machine machine{{}};
  for (int i = 0; i < 4; ++i)
    CHECK_FALSE(std::get<decision::start_again>(machine.agent_ended(died, i * 29999)).waits_for_qmgr);
  const auto last = machine.agent_ended(died, 119999);
  REQUIRE(std::holds_alternative<decision::give_up>(last));
  CHECK(std::get<decision::give_up>(last).ends == 5);
  CHECK(machine.restarts() == 4);
}

TEST_CASE("ends that are further apart are never given up") {
  controller_machine machine{{}};
  for (int i = 0; i < 100; ++i) delay_of(machine.agent_ended(i % 2 == 0 ? died : 139, i * 30000));
  CHECK(machine.restarts() == 100);
}

TEST_CASE("an end counts until exactly the interval has passed") {
  controller_machine machine{{}};
  for (int i = 0; i < 4; ++i) delay_of(machine.agent_ended(died, 0));
  CHECK(std::holds_alternative<decision::start_again>(machine.agent_ended(died, 120000)));
}

TEST_CASE("the wait doubles with each end and is capped") {
  controller_limits limits;
  limits.restarts_max = 20;
  controller_machine machine{limits};
  std::int64_t before = 0;
  for (int i = 0; i < 15; ++i) {
    const std::int64_t delay = delay_of(machine.agent_ended(died, i));
    CHECK(delay == (i == 0 ? 100 : std::min<std::int64_t>(before * 2, 10000)));
    before = delay;
  }
  CHECK(before == 10000);
}

TEST_CASE("with a restart delay the controller waits and begins to count anew") {
  controller_limits limits;
  limits.restart_delay_ms = 60000;
  controller_machine machine{limits};
  for (int i = 0; i < 4; ++i) delay_of(machine.agent_ended(died, i));
  CHECK(delay_of(machine.agent_ended(died, 5)) == 60000);
  CHECK(delay_of(machine.agent_ended(died, 6)) == 100);
}

TEST_CASE("a missing queue manager is waited for without counting as an end") {
  controller_machine machine{{}};
  std::int64_t before = 0;
  for (int i = 0; i < 50; ++i) {
    const auto made = machine.agent_ended(exit_qmgr_unavailable, i);
    const std::int64_t delay = delay_of(made);
    CHECK(std::get<decision::start_again>(made).waits_for_qmgr);
    CHECK(delay == (i == 0 ? 100 : std::min<std::int64_t>(before * 2, 30000)));
    before = delay;
  }
  CHECK(machine.restarts() == 0);
  CHECK(delay_of(machine.agent_ended(died, 100)) == 100);
  CHECK(delay_of(machine.agent_ended(exit_qmgr_unavailable, 101)) == 100);
}
