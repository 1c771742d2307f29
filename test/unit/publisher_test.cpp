#include "agent/publisher.hpp"

#include <catch2/catch.hpp>

#include "common/log.hpp"

using namespace baton;

namespace {

// Whose queue manager cannot be found.
struct lonely {
  lonely() { (void)open_log({}); }
  // By then it knows that it cannot.
  void find_out() {
    publish(1);
    REQUIRE(loop.run_until([this] { return told == 1; }, 10000));
    told = 0;
  }
  void publish(std::size_t bytes, bool durable = true) {
    amqp::message m;
    m.durable = durable;
    m.body.assign(bytes, 'x');
    publisher.publish(std::move(m), [this] { ++told; });
  }

  event_loop loop;
  worker_pool pool{loop, 1};
  agent::publisher publisher{loop, pool, [] { return error{errc::unreachable, "nobody"}; }, {}};
  int told = 0;
};

}  // namespace

TEST_CASE("publisher: while the coordination queue manager is away the newest wait, and nobody waits for them") {
  lonely agent;
  agent.find_out();
  for (int i = 0; i < 10100; ++i) agent.publish(10);
  CHECK(agent.publisher.waiting() == 10000);
  CHECK(agent.told == 10100);
  agent.publish(10, false);
  CHECK(agent.publisher.waiting() == 10000);
}

TEST_CASE("publisher: what waits is bounded in bytes too") {
  lonely agent;
  agent.find_out();
  for (int i = 0; i < 100; ++i) agent.publish(1 << 20);
  CHECK(agent.publisher.waiting() == 16);
  agent.publish(100 << 20);
  CHECK(agent.publisher.waiting() == 1);
  agent.publish(10);
  CHECK(agent.publisher.waiting() == 1);
}
