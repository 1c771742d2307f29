// What each step of the lock's protocol does; table_test.cpp has every state and event.
#include "test/unit/lock/watched_machine.hpp"
#include "test/unit/seed.hpp"

using namespace baton;
using namespace baton::test;

namespace {

watched_machine active_machine(lock::limits l = {}, std::uint64_t seed = 1) {
  watched_machine m(l, seed);
  to_active(m);
  return m;
}

lock::input own(const watched_machine& m, std::uint64_t sequence, lock::delivery id = 50) {
  return event::delivered{m.current(), id, {m->epoch(), sequence, "me", false}};
}
lock::input others(const watched_machine& m, std::uint64_t epoch, bool released = false, lock::delivery id = 60) {
  return event::delivered{m.current(), id, {epoch, 1, "other", released}};
}
lock::input taken(const watched_machine& m, std::uint64_t sequence) {
  return event::accepted{m.current(), m->epoch(), sequence};
}

std::vector<lock::delivery> settled(const std::vector<lock::output>& out) {
  std::vector<lock::delivery> ids;
  for (const auto& s : all_of<action::settle>(out)) ids.push_back(s.id);
  return ids;
}

// Renews, and reads what came back, until this time.
void renew_until(watched_machine& m, std::int64_t until) {
  while (m->wake_ms() <= until) {
    const auto sent = all_of<action::send>(m.wake());
    REQUIRE(sent.size() == 1);
    m.step(own(m, sent[0].what.sequence, 100 + sent[0].what.sequence), m.now());
    if (sent[0].durable) m.step(taken(m, sent[0].what.sequence), m.now());
  }
}

}  // namespace

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
  m.step(event::connected{m.current()}, 200);
  m.step(event::delivered{m.current(), 7, {5, 0, "me", false}}, 200);  // begins the claim of epoch 6
  CHECK(m->epoch() == 6);
  m.step(taken(m, 0), 200);
  m.step(event::delivered{m.current(), 8, {5, 0, "me", false}}, 200);
  CHECK(m->state() == state::claiming);
  m.step(own(m, 0, 9), 200);
  CHECK(m->state() == state::recovering);
}

TEST_CASE("the lease is counted from when the token was sent, not from when it came back") {
  auto m = active_machine();
  m.step(event::tick{}, 1000);
  m.step(own(m, 1), 3500);
  CHECK(m->deadline_ms() == 5000);
  m.step(event::tick{}, 4999);
  CHECK(m->state() == state::active);
  const auto over = m.step(event::tick{}, 5000);
  CHECK(all_of<action::deactivate>(over).size() == 1);
  CHECK(all_of<action::disconnect>(over).size() == 1);
  CHECK(m->state() == state::suspended);
}

TEST_CASE("renewals that come back keep the lock for any time and settle what they supersede") {
  auto m = active_machine();
  for (int i = 1; i < 100; ++i) {
    const auto sent = all_of<action::send>(m.wake());
    REQUIRE(sent.size() == 1);
    CHECK(!sent[0].durable);
    CHECK(sent[0].what.sequence == static_cast<std::uint64_t>(i));
    const auto back = m.step(own(m, sent[0].what.sequence, static_cast<lock::delivery>(100 + i)), m.now() + 2);
    if (i > 1) CHECK(settled(back) == std::vector<lock::delivery>{static_cast<lock::delivery>(99 + i)});
    if (i == 1) CHECK(settled(back).empty());  // the claim stays
  }
  CHECK(m->state() == state::active);
}

TEST_CASE("a renewal that did not come back is made good by a later one") {
  auto m = active_machine();
  for (int i = 0; i < 3; ++i) m.wake();
  const auto sent = m.now();
  CHECK(m.step(own(m, 3), sent + 1).empty());
  CHECK(m->deadline_ms() == sent + 4000);
  CHECK(settled(m.step(own(m, 2), sent + 2)) == std::vector<lock::delivery>{50});  // overtaken: it says nothing new
  CHECK(m->deadline_ms() == sent + 4000);
}

TEST_CASE("a claim that was slow is renewed before its lease is over") {
  watched_machine m;
  to_claiming(m);
  m.step(taken(m, 0), 3500);
  m.step(own(m, 0), 3500);
  CHECK(m->wake_ms() == 3500);
  CHECK(all_of<action::send>(m.wake()).at(0).what.sequence == 1);
  m.step(own(m, 1), 3600);
  CHECK(m->deadline_ms() == 7500);
}

TEST_CASE("a suspended instance goes back through standby") {
  watched_machine m;
  to_suspended(m);
  CHECK(m.step(event::recovered{m.current()}, 1).empty());
  CHECK(m.step(own(m, 0), 1).empty());
  CHECK(m->state() == state::suspended);
  CHECK(all_of<action::connect>(m.wake()).size() == 1);
  CHECK(m->state() == state::suspended);
  m.step(event::connected{m.current()}, m.now());
  CHECK(m->state() == state::standby);
  m.step(others(m, 9), m.now());
  CHECK(m->epoch() == 10);
}

TEST_CASE("losing the connection deactivates in the same step") {
  auto m = active_machine();
  const auto out = m.step(event::lost{m.current()}, 500);
  CHECK(all_of<action::deactivate>(out).size() == 1);
  CHECK(m->state() == state::disconnected);
}

TEST_CASE("an active instance stops with a released token") {
  watched_machine m;
  to_standby(m);
  m.step(others(m, 4, true), 0);
  m.step(own(m, 0), 0);
  CHECK(all_of<action::activate>(m.step(taken(m, 0), 0)).at(0).clean);
  m.step(event::recovered{m.current()}, 0);
  const auto stopped = m.step(event::stop{}, 10);
  CHECK(all_of<action::deactivate>(stopped).size() == 1);
  CHECK(stopped.size() == 1);  // the connection stays: there may be work that is still ending
  CHECK(m.step(event::stop{}, 20).empty());
  const auto last = all_of<action::send>(m.step(event::quiet{}, 30));
  REQUIRE(last.size() == 1);
  CHECK(last[0].what.released);
  CHECK(last[0].what.epoch == 5);
  CHECK(last[0].durable);
  CHECK(m.step(event::quiet{}, 31).empty());
  CHECK(m.step(taken(m, 0), 32).empty());
  CHECK(all_of<action::disconnect>(m.step(taken(m, last[0].what.sequence), 40)).size() == 1);
  CHECK(m->state() == state::stopped);
}

TEST_CASE("stepping down ends in time even when work does not") {
  for (const bool quiet : {false, true}) {
    auto m = active_machine();
    renew_until(m, 5000);
    m.step(event::stop{}, 5000);
    if (quiet) m.step(event::quiet{}, 6000);
    CHECK(m->state() == state::stepping_down);
    CHECK(m->wake_ms() == 10000);
    CHECK(m.step(event::tick{}, 9999).empty());
    CHECK(all_of<action::disconnect>(m.step(event::tick{}, 10000)).size() == 1);
    CHECK(m->state() == state::stopped);
  }
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
  CHECK(all_of<action::admitted>(m.step(event::connected{m.current()}, m.now())).size() == 1);
  m.step(event::lost{m.current()}, m.now());
  m.wake();
  CHECK(all_of<action::admitted>(m.step(event::connected{m.current()}, m.now())).empty());
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
  m.step(event::connected{m.current()}, m.now());
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

TEST_CASE("an outbid instance that is still the consumer claims higher, and not as a clean one") {
  for (const std::uint64_t by : {5U, 8U}) {
    watched_machine m;
    to_standby(m);
    m.step(others(m, 4, true), 0);
    m.step(taken(m, 0), 0);
    m.step(own(m, 0), 0);
    const auto asked = m.step(event::outbid{by}, 100);
    CHECK(all_of<action::send>(asked).size() == 1);
    CHECK(m.step(event::outbid{by}, 101).empty());  // it is being looked into
    const auto confirmed = m.step(own(m, m.sequence()), 102);
    CHECK(all_of<action::deactivate>(confirmed).size() == 1);
    CHECK(all_of<action::send>(confirmed).at(0).what.epoch == by + 1);
    CHECK(m->state() == state::claiming);
    m.step(taken(m, 0), 103);
    const auto won = all_of<action::activate>(m.step(own(m, 0, 51), 104));
    REQUIRE(won.size() == 1);
    CHECK(won[0].epoch == by + 1);
    CHECK(!won[0].clean);
    CHECK(m.step(event::outbid{by}, 105).empty());  // a late one: answered
  }
}

TEST_CASE("an outbid instance that is no longer the consumer suspends") {
  auto m = active_machine();
  m.step(event::outbid{8}, 100);
  while (m->state() == state::active) m.wake();
  CHECK(m->state() == state::suspended);
  CHECK(m.now() == 4000);
}

TEST_CASE("what a peer names while a claim is under way makes it claim higher") {
  watched_machine m;
  to_claiming(m);
  CHECK(m.step(event::outbid{8}, 1).empty());
  m.step(taken(m, 0), 2);
  CHECK(all_of<action::send>(m.step(own(m, 0), 2)).at(0).what.epoch == 9);
}

TEST_CASE("a consumer that is delivered another run's epoch as high as its own suspends, a lower one is settled") {
  for (const std::uint64_t epoch : {0U, 4U, 5U, 6U}) {
    auto m = active_machine();
    const auto out = m.step(others(m, epoch), 10);
    CHECK((m->state() == state::suspended) == (epoch >= 5));
    CHECK(settled(out).size() == (epoch >= 5 ? 0 : 1));
  }
}

TEST_CASE("the durable token is issued anew, and the one before it settled when that is safe") {
  for (const bool back_first : {false, true}) {
    lock::limits l;
    l.reissue_interval_ms = 2500;
    auto m = active_machine(l);
    renew_until(m, 2500);
    const auto sent = all_of<action::send>(m.wake());
    REQUIRE(sent.at(0).durable);
    const auto now = m.now();
    const auto first = m.step(back_first ? own(m, m.sequence(), 70) : taken(m, m.sequence()), now + 1);
    CHECK(settled(first) == (back_first ? std::vector<lock::delivery>{102} : std::vector<lock::delivery>{}));
    if (back_first) CHECK(m->deadline_ms() == now + 4000);
    const auto second = m.step(back_first ? taken(m, m.sequence()) : own(m, m.sequence(), 70), now + 2);
    CHECK(settled(second).back() == 2);  // the claim
    renew_until(m, now + 2400);
    CHECK(!all_of<action::send>(m.step(event::tick{}, m->wake_ms())).empty());
  }
}

TEST_CASE("renewals go on while the durable token is not yet on the broker's disk") {
  lock::limits l;
  l.reissue_interval_ms = 1500;
  auto m = active_machine(l);
  renew_until(m, 1500);
  const auto durable = all_of<action::send>(m.wake()).at(0).what.sequence;
  m.step(own(m, durable, 70), m.now());
  for (int i = 0; i < 5; ++i) {
    const auto sent = all_of<action::send>(m.wake()).at(0);
    CHECK(!sent.durable);
    const auto out = settled(m.step(own(m, sent.what.sequence, 200 + sent.what.sequence), m.now()));
    CHECK(std::find(out.begin(), out.end(), 2) == out.end());
    CHECK(std::find(out.begin(), out.end(), 70) == out.end());
  }
  CHECK(settled(m.step(taken(m, durable), m.now())) == std::vector<lock::delivery>{2});
}

TEST_CASE("any events in any order keep the lock's invariants") {
  generator random(seed());
  INFO("BATON_TEST_SEED=" << seed());
  for (int run = 0; run < 300; ++run) {
    watched_machine m({}, random());
    std::int64_t now = 0;
    for (int i = 0; i < 300; ++i) {
      now += static_cast<std::int64_t>(below(random, 3) == 0 ? below(random, 3000) : below(random, 20));
      const lock::generation of = m.current() - (below(random, 10) == 0 ? 1 : 0);
      const auto sequence = below(random, 2) == 0 ? m.sequence() : 0;
      const lock::token mine{m->epoch(), sequence, "me", false};
      const lock::token other{below(random, 30) == 0 ? m->epoch() + below(random, 3) : m->epoch() / 2, below(random, 9),
                              "other", below(random, 4) == 0};
      const auto id = static_cast<lock::delivery>(1000 * run + i);
      const lock::input events[] = {event::start{},
                                    event::connected{of},
                                    event::connected{of},
                                    event::tick{},
                                    event::delivered{of, id, mine},
                                    event::delivered{of, id, mine},
                                    event::recovered{of},
                                    event::delivered{of, id, other},
                                    event::accepted{of, m->epoch(), sequence},
                                    event::accepted{of, m->epoch(), 0}};
      const lock::input rare[] = {event::refused{of}, event::lost{of}, event::outbid{m->epoch() + below(random, 2)},
                                  event::quiet{}};
      m.step(below(random, 15) == 0 ? rare[below(random, 4)] : events[below(random, 10)], now);
    }
    m.step(event::stop{}, now);
    if (m->state() == state::stepping_down) m.wake();
    CHECK(m->state() == state::stopped);
  }
}
