// Who gets the lock when several can have it, and how it is given back without a stop.
#include "test/unit/lock/tokens.hpp"

using namespace baton;
using namespace baton::test;

namespace {

lock::limits hanging_back(std::int64_t ms) {
  lock::limits l;
  l.hang_back_ms = ms;
  return l;
}

}  // namespace

TEST_CASE("one that others are preferred to gives way once, and takes the lock when nobody did") {
  watched_machine m(hanging_back(270));
  to_standby(m);
  const auto out = m.step(others(m, 4), 5000);
  CHECK(all_of<action::disconnect>(out).size() == 1);
  CHECK(all_of<action::send>(out).empty());
  CHECK(m->wake_ms() == 5270);
  CHECK(all_of<action::connect>(m.wake()).at(0).where == lock::address::same);
  m.step(event::connected{m.current(), false}, 5275);
  m.step(others(m, 4), 5280);
  CHECK(m->state() == state::claiming);
}

TEST_CASE("where the queue manager delivers to the preferred one, only one that has just come gives way") {
  watched_machine m(hanging_back(270));
  m.step(event::start{}, 0);
  m.step(event::connected{m.current(), true}, 0);
  SECTION("at once") {
    m.step(others(m, 4), 269);
    CHECK(m->state() == state::disconnected);
  }
  SECTION("after it has stood by") {
    m.step(others(m, 4), 270);
    CHECK(m->state() == state::claiming);
  }
}

TEST_CASE("one that gave way and then stood by gives way again the next time") {
  watched_machine m(hanging_back(270));
  to_standby(m);
  m.step(others(m, 4), 10);
  m.wake();
  m.step(event::connected{m.current(), false}, 300);
  CHECK(m->wake_ms() == 3300);  // now another one has it
  m.wake();
  CHECK(m->state() == state::standby);
  m.step(others(m, 5), 60000);
  CHECK(m->state() == state::disconnected);
}

TEST_CASE("stepping aside ends the work, says so in a last token, and stands by again after the time") {
  watched_machine m;
  to_active(m);
  alone(m);
  CHECK(all_of<action::deactivate>(m.step(event::step_aside{1000, false}, 4000)).size() == 1);
  const auto last = all_of<action::send>(m.step(event::quiet{}, 4010));
  REQUIRE(last.size() == 1);
  CHECK(last[0].what.released);
  CHECK_FALSE(last[0].what.moved);
  CHECK(last[0].durable);
  m.step(taken(m, last[0].what.sequence), 4020);
  CHECK(m->state() == state::disconnected);
  CHECK(m->wake_ms() == 5020);
  CHECK(all_of<action::connect>(m.wake()).at(0).where == lock::address::same);
}

TEST_CASE("nobody steps aside while the lease of the one before may not be over") {
  watched_machine m;
  to_active(m);
  CHECK(m.step(event::step_aside{1000, false}, 3999 - 1000).empty());
  CHECK(m->state() == state::active);
}

TEST_CASE("a stop that comes while it steps aside is a stop") {
  watched_machine m;
  to_active(m);
  alone(m);
  m.step(event::step_aside{1000, false}, 4000);
  m.step(event::stop{}, 4005);
  m.step(event::quiet{}, 4010);
  m.wake();
  CHECK(m->state() == state::stopped);
}

TEST_CASE("who moves goes to the first queue manager, and who finds that follows and leaves word") {
  watched_machine first;
  to_active(first);
  alone(first);
  first.step(event::step_aside{1, true}, 4000);
  const auto last = all_of<action::send>(first.step(event::quiet{}, 4000));
  CHECK(last.at(0).what.moved);
  first.step(taken(first, last[0].what.sequence), 4000);
  CHECK(all_of<action::connect>(first.wake()).at(0).where == lock::address::first);

  lock::limits l;
  l.follow_ms = 200;
  watched_machine second(l);
  to_standby(second);
  second.step(event::delivered{second.current(), 1, {4, 7, "other", true, true}}, 0);
  second.step(taken(second, 0), 0);
  const auto word = all_of<action::send>(second.step(own(second, 0), 0));
  REQUIRE(word.size() == 1);
  CHECK(word[0].what.released);
  CHECK(word[0].what.moved);
  CHECK(word[0].what.epoch == 5);
  second.step(taken(second, word[0].what.sequence), 0);
  CHECK(second->wake_ms() == 200);
  CHECK(all_of<action::connect>(second.wake()).at(0).where == lock::address::first);

  // The first one is down: it comes back, and this time it takes what it finds.
  second.step(event::lost{second.current()}, 210);
  CHECK(all_of<action::connect>(second.wake()).at(0).where == lock::address::next);
  second.step(event::connected{second.current(), false}, 500);
  second.step(event::delivered{second.current(), 2, {5, 1, "other", true, true}}, 500);
  second.step(taken(second, 0), 500);
  const auto won = second.step(own(second, 0), 500);
  REQUIRE(all_of<action::activate>(won).size() == 1);
  CHECK(all_of<action::activate>(won)[0].clean);
}

TEST_CASE("of several queue managers the next is tried at once, and there is a wait between rounds") {
  lock::limits l;
  l.addresses = 2;
  watched_machine m(l);
  m.step(event::start{}, 0);
  int at_once = 0;
  for (int i = 0; i < 12; ++i) {
    const std::int64_t now = m.now();
    m.step(event::lost{m.current()}, now);
    at_once = m->wake_ms() - now <= 1 ? at_once + 1 : 0;
    CHECK(at_once <= 2);
    CHECK(all_of<action::connect>(m.wake()).at(0).where == lock::address::next);
  }
}

TEST_CASE("one that missed its own deadline looks for the lock where it had it") {
  watched_machine m;
  to_suspended(m);
  CHECK(all_of<action::connect>(m.wake()).at(0).where == lock::address::same);
}
