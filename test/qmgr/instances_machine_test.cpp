// The machine of the instances: every event in every state, and each rule by itself. What follows from the rules
// together is in test/model/instances/.
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <map>

#include "qmgr/instances/machine.hpp"

using namespace baton::instances;

namespace {

constexpr limits times{100, 1000, 10000, 1000, 10000, 30000};

template <class A>
std::vector<A> all_of(const std::vector<output>& out) {
  std::vector<A> found;
  for (const output& one : out) {
    if (const A* is = std::get_if<A>(&one)) found.push_back(*is);
  }
  return found;
}

machine make(std::vector<std::string> preferred = {}, bool fail_back = false, bool permits = true) {
  return {times, {"b", std::move(preferred), fail_back, permits}, 0};
}

peer standby(const std::string& name, std::uint64_t beat) {
  peer made;
  made.name = name;
  made.running = true;
  made.beat = beat;
  return made;
}

peer active(const std::string& name, std::uint64_t epoch, std::uint64_t beat) {
  peer made = standby(name, beat);
  made.what = peer::active;
  made.epoch = epoch;
  return made;
}

event::looked look(std::int64_t at, std::vector<peer> peers, bool lock_free) {
  event::looked made;
  made.began_ms = at;
  for (const peer& one : peers) made.epoch = std::max(made.epoch, one.epoch);
  made.peers = std::move(peers);
  made.lock_free = lock_free;
  return made;
}

machine in(state wanted) {
  machine m = make();
  if (wanted == state::waiting) return m;
  if (wanted == state::stopped) {
    m.step(event::stop{}, 0);
    return m;
  }
  m.step(look(0, {}, true), 0);
  if (wanted == state::claiming) return m;
  m.step(event::claimed{1, 0}, 0);
  if (wanted == state::closing) m.step(event::stop{}, 0);
  return m;
}

const std::map<std::string, input> every_event{
    {"looked", look(0, {active("a", 5, 1)}, false)},
    {"claimed", event::claimed{7, 0}},
    {"outrun", event::outrun{3, 0}},
    {"blocked", event::blocked{}},
    {"renewed", event::renewed{5}},
    {"reclaimed", event::reclaimed{5}},
    {"lost", event::lost{}},
    {"late", event::late{}},
    {"failed", event::failed{}},
    {"closed", event::closed{}},
    {"stop", event::stop{}},
    {"tick", event::tick{}},
};

}  // namespace

TEST_CASE("every event in every state") {
  using s = state;
  // The state that follows; what is not named changes nothing.
  const std::map<s, std::map<std::string, s>> table{
      {s::waiting, {{"failed", s::stopped}, {"stop", s::stopped}}},
      {s::claiming,
       {{"claimed", s::active},
        {"outrun", s::waiting},
        {"blocked", s::waiting},
        {"failed", s::stopped},
        {"stop", s::stopped}}},
      {s::active, {{"lost", s::stopped}, {"failed", s::stopped}, {"stop", s::closing}}},
      {s::closing, {{"lost", s::stopped}, {"failed", s::stopped}, {"closed", s::stopped}}},
      {s::stopped, {}},
  };
  for (const auto& [from, row] : table) {
    for (const auto& [name, happened] : every_event) {
      INFO(to_string(from) << " + " << name);
      machine m = in(from);
      REQUIRE(m.state() == from);
      const auto out = m.step(happened, 10);
      const auto expected = row.find(name);
      CHECK(to_string(m.state()) == to_string(expected == row.end() ? from : expected->second));
      if (from == s::stopped) CHECK(out.empty());
      CHECK((m.deadline_ms() > 0) == m.holds());
      CHECK(all_of<action::end>(out).size() == (m.state() == s::stopped && from != s::stopped ? 1u : 0u));
      if (name == "lost") CHECK(all_of<action::release>(out).empty());  // it is not its own any more
    }
  }
}

TEST_CASE("a free lock is taken at once, a silent holder is waited for") {
  machine m = make();
  m.step(look(0, {active("a", 5, 1)}, false), 0);
  CHECK(m.state() == state::waiting);
  m.step(look(9999, {active("a", 5, 1)}, false), 9999);
  CHECK(m.state() == state::waiting);
  const auto out = m.step(look(10000, {active("a", 5, 1)}, false), 10000);
  REQUIRE(all_of<action::claim>(out).size() == 1);
  CHECK(all_of<action::claim>(out)[0].fence);
  CHECK(all_of<action::claim>(out)[0].epoch == 5);

  machine other = make();
  other.step(look(0, {active("a", 5, 1)}, false), 0);
  const auto taken = other.step(look(100, {active("a", 5, 1)}, true), 100);
  REQUIRE(all_of<action::claim>(taken).size() == 1);
  CHECK(!all_of<action::claim>(taken)[0].fence);
}

TEST_CASE("each beat of the holder, and each renewal, begins its silence anew") {
  machine m = make();
  m.step(look(0, {active("a", 5, 1)}, false), 0);
  m.step(look(9000, {active("a", 5, 2)}, false), 9000);
  CHECK(all_of<action::claim>(m.step(look(18999, {active("a", 5, 2)}, false), 18999)).empty());
  CHECK(all_of<action::claim>(m.step(look(19000, {active("a", 5, 2)}, false), 19000)).size() == 1);
  m.step(event::outrun{5, 1}, 19000);  // it took its epoch again
  CHECK(all_of<action::claim>(m.step(look(28999, {active("a", 5, 2)}, false), 28999)).empty());
  const auto out = m.step(look(29000, {active("a", 5, 2)}, false), 29000);
  REQUIRE(all_of<action::claim>(out).size() == 1);
  CHECK(all_of<action::claim>(out)[0].renewals == 1);  // as the store says, although the file does not know
}

TEST_CASE("the time that it was stopped itself is not silence of the holder") {
  machine m = make();
  m.step(look(0, {active("a", 5, 1)}, false), 0);
  m.step(look(100, {active("a", 5, 1)}, false), 60000);
  CHECK(m.state() == state::waiting);
}

TEST_CASE("a file that cannot be read is not silence") {
  machine m = make();
  for (std::int64_t now = 0; now < 50000; now += 1000) {
    event::looked seen = look(now, {active("a", 5, 1)}, false);
    seen.complete = false;
    CHECK(all_of<action::claim>(m.step(seen, now)).empty());
  }
}

TEST_CASE("the deadline is a lease behind the beginning of a proof") {
  machine m = make();
  m.step(look(0, {}, true), 0);
  m.step(event::claimed{1, 100}, 700);
  CHECK(m.deadline_ms() == 10100);
  m.step(event::renewed{2000}, 2500);
  CHECK(m.deadline_ms() == 12000);
  m.step(event::renewed{1500}, 2600);
  CHECK(m.deadline_ms() == 12000);
}

TEST_CASE("behind the deadline only taking the epoch again counts") {
  machine m = in(state::active);
  CHECK(m.deadline_ms() == 10000);
  m.step(event::renewed{10000}, 10001);
  CHECK(m.deadline_ms() == 10000);
  CHECK(all_of<action::reclaim>(m.step(event::late{}, 10002)).size() == 1);
  m.step(event::reclaimed{10002}, 10003);
  CHECK(m.deadline_ms() == 20002);
  machine idle = in(state::active);
  CHECK(all_of<action::reclaim>(idle.step(event::tick{}, 15000)).size() == 1);
  CHECK(all_of<action::renew>(idle.step(event::tick{}, 15000)).empty());
}

TEST_CASE("one leaves the first try to a more preferred one, for a while") {
  machine m = make({"a"});
  m.step(look(0, {active("c", 5, 1), standby("a", 1)}, false), 0);
  const auto out = m.step(look(100, {active("c", 5, 1), standby("a", 2)}, true), 100);
  CHECK(all_of<action::claim>(out).empty());
  REQUIRE(all_of<action::say_held_back>(out).size() == 1);
  CHECK(all_of<action::say_held_back>(out)[0].by == "a");
  CHECK(all_of<action::claim>(m.step(look(1099, {standby("a", 3)}, true), 1099)).empty());
  CHECK(all_of<action::claim>(m.step(look(1100, {standby("a", 3)}, true), 1100)).size() == 1);
}

TEST_CASE("one that does not run, is silent, or is less preferred holds nobody back") {
  for (const auto& preferred : {std::vector<std::string>{}, {"b", "a"}}) {
    machine m = make(preferred);
    CHECK(all_of<action::claim>(m.step(look(0, {standby("a", 1)}, true), 0)).size() == 1);
  }
  machine m = make({"a"});
  peer gone = standby("a", 1);
  gone.running = false;
  CHECK(all_of<action::claim>(m.step(look(0, {gone}, true), 0)).size() == 1);
  machine late = make({"a"});
  late.step(look(0, {active("c", 5, 1), standby("a", 1)}, false), 0);
  CHECK(all_of<action::claim>(late.step(look(10000, {active("c", 5, 2), standby("a", 1)}, true), 10000)).size() == 1);
}

TEST_CASE("fail back waits until a more preferred one was well for the delay") {
  for (const bool fail_back : {true, false}) {
    machine m = make({"a"}, fail_back);
    m.step(look(0, {}, true), 0);
    m.step(event::claimed{1, 0}, 0);
    std::uint64_t beat = 0;
    std::int64_t now = 1000;
    for (; now < 20000; now += 1000) CHECK(m.step(look(now, {standby("a", ++beat)}, true), now).empty());
    for (; now < 35000; now += 1000) m.step(look(now, {standby("a", beat)}, true), now);  // silent for too long
    for (; now < 65000; now += 1000) CHECK(m.step(look(now, {standby("a", ++beat)}, true), now).empty());
    const auto out = m.step(look(now, {standby("a", ++beat)}, true), now);
    REQUIRE(all_of<action::close>(out).size() == (fail_back ? 1u : 0u));
    if (!fail_back) continue;
    CHECK(all_of<action::close>(out)[0].to == "a");
    CHECK(!all_of<action::close>(out)[0].immediate);
    const auto released = m.step(event::closed{}, now);
    CHECK(all_of<action::release>(released).size() == 1);
    CHECK(!all_of<action::release>(released)[0].all);
    CHECK(m.state() == state::waiting);
    // It leaves it to that one for longer, and takes it again only if nobody does.
    CHECK(all_of<action::claim>(m.step(look(now + 9000, {standby("a", ++beat)}, true), now + 9000)).empty());
    CHECK(all_of<action::claim>(m.step(look(now + 19000, {standby("a", ++beat)}, true), now + 19000)).size() == 1);
  }
}

TEST_CASE("an end of all is followed only by one that has seen the active one") {
  peer ended = active("a", 5, 2);
  ended.what = peer::ended;
  ended.end_all = true;
  machine m = make();
  m.step(look(0, {active("a", 5, 1)}, false), 0);
  const auto out = m.step(look(100, {ended}, true), 100);
  REQUIRE(all_of<action::end>(out).size() == 1);
  CHECK(all_of<action::end>(out)[0].why == reason::ended_with_active);
  machine later = make();  // that was yesterday
  CHECK(all_of<action::claim>(later.step(look(0, {ended}, true), 0)).size() == 1);
}

TEST_CASE("without permission for standbys there is one or none") {
  machine alone = make({}, false, false);
  CHECK(all_of<action::end>(alone.step(look(0, {active("a", 5, 1)}, false), 0)).size() == 1);
  machine first = make({}, false, false);
  CHECK(all_of<action::claim>(first.step(look(0, {}, true), 0)).size() == 1);
  machine standing_by = make();
  peer strict = active("a", 5, 1);
  strict.permits_standby = false;
  CHECK(all_of<action::end>(standing_by.step(look(0, {strict}, false), 0)).size() == 1);
}

TEST_CASE("one says that it stands by when it has seen that it may") {
  machine m = make();
  CHECK(all_of<action::publish>(m.step(event::tick{}, 0)).empty());
  CHECK(all_of<action::publish>(m.step(look(0, {active("a", 5, 1)}, false), 0)).size() == 1);
  CHECK(all_of<action::publish>(m.step(look(100, {active("a", 5, 1)}, false), 100)).empty());
  CHECK(all_of<action::publish>(m.step(event::tick{}, 1000)).size() == 1);
  machine alone = make({}, false, false);
  alone.step(event::tick{}, 0);
  CHECK(all_of<action::publish>(alone.step(look(0, {active("a", 5, 1)}, false), 0)).empty());
}

TEST_CASE("a holder in the middle of a commit is ended only after a lease of silence") {
  machine m = make();
  m.step(look(0, {active("a", 5, 1)}, true), 0);
  CHECK(all_of<action::end_holder>(m.step(event::blocked{}, 0)).empty());
  machine fencing = make();
  fencing.step(look(0, {active("a", 5, 1)}, false), 0);
  fencing.step(look(10000, {active("a", 5, 1)}, false), 10000);
  const auto out = fencing.step(event::blocked{}, 10500);
  CHECK(all_of<action::say_blocked>(out).size() == 1);
  CHECK(all_of<action::end_holder>(out).size() == 1);
  fencing.step(look(10600, {active("a", 5, 1)}, false), 10600);
  CHECK(fencing.step(event::blocked{}, 11000).empty());  // said once
}

TEST_CASE("stop that is immediate overtakes one that waits, and an end of all stays one") {
  machine m = in(state::active);
  m.step(event::stop{true, false}, 0);
  const auto out = m.step(event::stop{false, true}, 1);
  REQUIRE(all_of<action::close>(out).size() == 1);
  CHECK(all_of<action::close>(out)[0].immediate);
  CHECK(all_of<action::release>(m.step(event::closed{}, 2)).at(0).all);
}
