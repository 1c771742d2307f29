// How an instance keeps the lock, and gives it up; table_test.cpp has every state and event.
#include "test/unit/lock/tokens.hpp"

using namespace baton;
using namespace baton::test;

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

TEST_CASE("renewals that come back keep the lock for any time and are settled with the next one") {
  auto m = active_machine();
  for (int i = 1; i < 100; ++i) {
    const auto out = m.wake();
    const auto sent = all_of<action::send>(out);
    REQUIRE(sent.size() == 1);
    if (i > 1) CHECK(settled(out) == std::vector<lock::delivery>{static_cast<lock::delivery>(99 + i)});
    if (i == 1) CHECK(settled(out).empty());  // the claim stays
    CHECK(!sent[0].durable);
    CHECK(sent[0].what.sequence == static_cast<std::uint64_t>(i));
    CHECK(m.step(own(m, sent[0].what.sequence, static_cast<lock::delivery>(100 + i)), m.now() + 2).empty());
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
  m.step(event::connected{m.current(), false}, m.now());
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
    CHECK(settled(first).empty());
    if (back_first) CHECK(m->deadline_ms() == now + 4000);
    const auto second = m.step(back_first ? taken(m, m.sequence()) : own(m, m.sequence(), 70), now + 2);
    CHECK(settled(second) == std::vector<lock::delivery>{2});  // the claim
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
    const auto out = m.wake();
    const auto sent = all_of<action::send>(out).at(0);
    CHECK(!sent.durable);
    for (const auto gone : settled(out)) CHECK(gone >= 200);  // neither the claim nor what takes its place
    CHECK(m.step(own(m, sent.what.sequence, 200 + sent.what.sequence), m.now()).empty());
  }
  CHECK(settled(m.step(taken(m, durable), m.now())) == std::vector<lock::delivery>{2});
}
