// How an instance gets the lock, and the way there from no connection; table_test.cpp has every state and event.
#include "test/unit/lock/tokens.hpp"
#include "test/unit/seed.hpp"

using namespace baton;
using namespace baton::test;

TEST_CASE("a claim counts when the broker has taken it and it came back, in whatever order") {
  for (const bool back_first : {false, true}) {
    watched_machine m;
    to_claiming(m);
    const auto first = back_first ? own(m, 0) : taken(m, 0);
    const auto second = back_first ? taken(m, 0) : own(m, 0);
    CHECK(m.step(first, 5).empty());
    CHECK(m->state() == state::claiming);
    const auto won = m.step(second, 5);
    CHECK(all_of<action::activate>(won).at(0).epoch == 5);
    CHECK(settled(won) == std::vector<lock::delivery>{1});  // what was there before; not the claim
    CHECK(m->state() == state::recovering);
    CHECK(m->deadline_ms() == 4000);
  }
}

TEST_CASE("a claim that comes back when its lease is over counts for nothing") {
  for (const bool back_first : {false, true}) {
    watched_machine m;
    to_claiming(m);
    m.step(back_first ? own(m, 0) : taken(m, 0), 3999);
    const auto late = m.step(back_first ? taken(m, 0) : own(m, 0), 4000);
    CHECK(all_of<action::disconnect>(late).size() == 1);
    CHECK(all_of<action::activate>(late).empty());
    CHECK(m->state() == state::disconnected);
  }
}

TEST_CASE("when another run was seen to claim as high, it claims once more, higher") {
  for (const std::uint64_t seen : {4U, 5U, 9U}) {
    watched_machine m;
    to_claiming(m);
    REQUIRE(m->epoch() == 5);
    m.step(others(m, seen), 1);
    m.step(taken(m, 0), 2);
    const auto back = m.step(own(m, 0, 2), 3);
    if (seen < 5) {
      CHECK(m->state() == state::recovering);
      continue;
    }
    CHECK(all_of<action::activate>(back).empty());
    CHECK(settled(back).empty());
    CHECK(all_of<action::send>(back).at(0).what.epoch == seen + 1);
    CHECK(m->state() == state::claiming);
    m.step(event::accepted{m.current(), 5, 0}, 4);  // the first claim's: it does not count for the second
    CHECK(m.step(own(m, 0, 3), 4).empty());
    const auto won = m.step(taken(m, 0), 4);
    CHECK(settled(won) == std::vector<lock::delivery>{1, 60, 2});
    CHECK(m->deadline_ms() == 3 + 4000);
  }
}

TEST_CASE("an own token of an earlier connection is not taken for the claim") {
  watched_machine m;
  to_claiming(m);
  m.step(event::lost{m.current()}, 1);
  m.wake();
  m.step(event::connected{m.current(), false}, 200);
  m.step(event::delivered{m.current(), 7, {5, 0, "me", false, false}}, 200);  // begins the claim of epoch 6
  CHECK(m->epoch() == 6);
  m.step(taken(m, 0), 200);
  m.step(event::delivered{m.current(), 8, {5, 0, "me", false, false}}, 200);
  CHECK(m->state() == state::claiming);
  m.step(own(m, 0, 9), 200);
  CHECK(m->state() == state::recovering);
}

TEST_CASE("an instance that had to wait for the lease before its own does not release the lock before") {
  auto early = active_machine();  // takes over at 0 from one that did not release
  early.step(event::stop{}, 100);
  const auto out = early.step(event::quiet{}, 3999);
  CHECK(all_of<action::send>(out).empty());
  CHECK(all_of<action::disconnect>(out).size() == 1);
  CHECK(early->state() == state::stopped);
  auto late = active_machine();
  renew_until(late, 4000);
  late.step(event::stop{}, 4000);
  CHECK(all_of<action::send>(late.step(event::quiet{}, 4000)).at(0).what.released);
}

TEST_CASE("a takeover is clean only after a release by the newest epoch") {
  struct {
    std::uint64_t first;
    bool first_released;
    std::uint64_t second;
    bool second_released, clean;
  } const cases[] = {{4, true, 0, false, true},  {4, false, 0, false, false}, {4, false, 4, true, true},
                     {3, true, 4, false, false}, {4, false, 3, true, false},  {0, false, 0, false, false}};
  for (const auto& c : cases) {
    INFO(c.first << " " << c.first_released << " " << c.second << " " << c.second_released);
    watched_machine m;
    to_standby(m);
    m.step(event::delivered{m.current(), 1, {c.first, 3, "one", c.first_released}}, 0);
    m.step(event::delivered{m.current(), 2, {c.second, 4, "two", c.second_released}}, 0);
    m.step(own(m, 0), 0);
    auto won = m.step(taken(m, 0), 0);
    if (m->state() == state::claiming) {  // what it claimed first was not high enough
      m.step(own(m, 0), 0);
      won = m.step(taken(m, 0), 0);
    }
    CHECK(all_of<action::activate>(won).at(0).clean == c.clean);
  }
}

TEST_CASE("a broker that refuses is asked again, said once, with longer waits") {
  watched_machine m;
  m.step(event::start{}, 0);
  for (int i = 0; i < 5; ++i) {
    const auto out = m.step(event::refused{m.current()}, m.now());
    CHECK(all_of<action::excluded>(out).size() == (i == 0 ? 1 : 0));
    CHECK(all_of<action::disconnect>(out).size() == 1);
    const auto wait = m->wake_ms() - m.now();
    CHECK(wait <= (i == 0 ? 5000 : 30000));
    CHECK(wait >= (i == 0 ? 4500 : 27000));
    CHECK(all_of<action::connect>(m.wake()).size() == 1);
  }
  CHECK(all_of<action::admitted>(m.step(event::connected{m.current(), false}, m.now())).size() == 1);
  m.step(event::lost{m.current()}, m.now());
  m.wake();
  CHECK(all_of<action::admitted>(m.step(event::connected{m.current(), false}, m.now())).empty());
  m.step(event::lost{m.current()}, m.now());
  m.wake();
  CHECK(all_of<action::excluded>(m.step(event::refused{m.current()}, m.now())).size() == 1);
}

TEST_CASE("a refusal that comes after the links opened is a loss") {
  watched_machine m;
  to_standby(m);
  CHECK(all_of<action::disconnect>(m.step(event::refused{m.current()}, 0)).size() == 1);
  CHECK(m->state() == state::disconnected);
}

TEST_CASE("the waits before connecting again grow, have a limit and are not all the same") {
  std::vector<std::int64_t> last;
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    watched_machine m({}, seed * 7919);
    m.step(event::start{}, 0);
    std::int64_t expected = 100;
    for (int i = 0; i < 100; ++i) {
      m.step(event::lost{m.current()}, m.now());
      const auto wait = m->wake_ms() - m.now();
      CHECK(wait <= expected);
      CHECK(wait >= expected - expected / 10);
      expected = std::min<std::int64_t>(expected * 2, 30000);
      CHECK(all_of<action::connect>(m.wake()).size() == 1);
      if (i == 99) last.push_back(wait);
    }
  }
  std::sort(last.begin(), last.end());
  CHECK(std::unique(last.begin(), last.end()) - last.begin() > 10);
}

TEST_CASE("the waits begin anew after a connection that lived, and after an activation") {
  watched_machine m;
  m.step(event::start{}, 0);
  for (int i = 0; i < 10; ++i) {
    m.step(event::lost{m.current()}, m.now());
    m.wake();
  }
  m.step(event::connected{m.current(), false}, m.now());
  auto lived = m, was_active = m;
  m.step(event::lost{m.current()}, m.now() + 100);
  CHECK(m->wake_ms() - m.now() > 20000);
  lived.step(event::lost{lived.current()}, lived.now() + 30000);
  CHECK(lived->wake_ms() - lived.now() <= 100);
  was_active.step(others(was_active, 3), was_active.now());
  was_active.step(taken(was_active, 0), was_active.now());
  was_active.step(own(was_active, 0), was_active.now());
  was_active.step(event::recovered{was_active.current()}, was_active.now());
  was_active.step(event::lost{was_active.current()}, was_active.now());
  CHECK(was_active->wake_ms() - was_active.now() <= 100);
}

TEST_CASE("a connection that is never made is given up and made anew") {
  watched_machine m;
  m.step(event::start{}, 0);
  const auto out = m.wake();
  REQUIRE(out.size() == 2);
  CHECK(std::holds_alternative<action::disconnect>(out[0]));
  CHECK(std::get<action::connect>(out[1]).as == 2);
}

TEST_CASE("what a peer names while a claim is under way makes it claim higher") {
  watched_machine m;
  to_claiming(m);
  CHECK(m.step(event::outbid{8}, 1).empty());
  m.step(taken(m, 0), 2);
  CHECK(all_of<action::send>(m.step(own(m, 0), 2)).at(0).what.epoch == 9);
}

TEST_CASE("any events in any order keep the lock's invariants") {
  generator random(seed());
  INFO("BATON_TEST_SEED=" << seed());
  for (int run = 0; run < 300; ++run) {
    lock::limits l;
    l.hang_back_ms = run % 3 == 0 ? 270 : 0;
    l.addresses = 1 + run % 2;
    watched_machine m(l, random());
    std::int64_t now = 0;
    for (int i = 0; i < 300; ++i) {
      now += static_cast<std::int64_t>(below(random, 3) == 0 ? below(random, 3000) : below(random, 20));
      const lock::generation of = m.current() - (below(random, 10) == 0 ? 1 : 0);
      const auto sequence = below(random, 2) == 0 ? m.sequence() : 0;
      const lock::token mine{m->epoch(), sequence, "me", false, false};
      const lock::token other{below(random, 30) == 0 ? m->epoch() + below(random, 3) : m->epoch() / 2, below(random, 9),
                              "other", below(random, 4) == 0, below(random, 8) == 0};
      const auto id = static_cast<lock::delivery>(1000 * run + i);
      const lock::input events[] = {event::start{},
                                    event::connected{of, false},
                                    event::connected{of, true},
                                    event::tick{},
                                    event::delivered{of, id, mine},
                                    event::delivered{of, id, mine},
                                    event::recovered{of},
                                    event::delivered{of, id, other},
                                    event::accepted{of, m->epoch(), sequence},
                                    event::accepted{of, m->epoch(), 0}};
      const lock::input rare[] = {event::refused{of},
                                  event::lost{of},
                                  event::outbid{m->epoch() + below(random, 2)},
                                  event::quiet{},
                                  event::step_aside{100, false},
                                  event::step_aside{1, true}};
      m.step(below(random, 15) == 0 ? rare[below(random, 6)] : events[below(random, 10)], now);
    }
    m.step(event::stop{}, now);
    if (m->state() == state::stepping_down) m.wake();
    CHECK(m->state() == state::stopped);
  }
}
