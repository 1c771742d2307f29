#include "agent/transfer/event_log.hpp"

#include <catch2/catch.hpp>

#include "test/unit/transfer/fake_agent.hpp"

using namespace baton;
using transfer::event_log;

TEST_CASE("event_log: who waits is called when what came before is told, in order") {
  test::fake_agent agent;
  agent.log_is_slow = true;
  event_log log(agent);
  std::string called;
  log.when_told([&] { called += '0'; });
  CHECK(called == "0");  // there was nothing to wait for
  log.publish({});
  log.when_told([&] { called += '1'; });
  log.publish({});
  log.when_told([&] { called += '2'; });
  log.publish({});
  CHECK(called == "0");
  agent.untold[1]();
  CHECK(called == "0");
  agent.untold[0]();
  CHECK(called == "012");
  agent.untold[2]();
  log.when_told([&] { called += '3'; });
  CHECK(called == "0123");
}

TEST_CASE("event_log: a coordination queue manager that is silent is not waited for forever") {
  test::fake_agent agent;
  agent.log_is_slow = true;
  event_log log(agent);
  bool called = false;
  log.publish({});
  log.when_told([&] { called = true; });
  CHECK(agent.loop().run_until([&] { return called; }, 2 * transfer::log_patience_ms));
}

TEST_CASE("event_log: it may go before its events are told, and by what it calls") {
  test::fake_agent agent;
  agent.log_is_slow = true;
  auto log = std::make_unique<event_log>(agent);
  log->publish({});
  log->when_told([&] { log.reset(); });
  log->when_told([] { FAIL("it is gone"); });
  agent.untold[0]();
  CHECK(log == nullptr);
  log = std::make_unique<event_log>(agent);
  log->publish({});
  log->when_told([] { FAIL("it is gone"); });
  log.reset();
  agent.untold[1]();
}
