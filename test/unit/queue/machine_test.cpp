#include "agent/queue/machine.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <utility>
#include <vector>

using namespace baton::queue;

namespace {

using actions = std::vector<action>;

const std::vector<input>& every_event() {
  static const std::vector<input> all{event::collect{},
                                      event::look_for{},
                                      event::look_for{true, false},
                                      event::look_for{false, true},
                                      event::begun{},
                                      event::begun{true},
                                      event::refused{},
                                      event::unfit{},
                                      event::enough{},
                                      event::enough{0, 0, 2},
                                      event::enough{3, 3, 0},
                                      event::enough{3, 1, 0},
                                      event::written{},
                                      event::written{true},
                                      event::take_off{},
                                      event::announced{},
                                      event::recorded{},
                                      event::settled{},
                                      event::lost{}};
  return all;
}

bool is_end(action one) {
  return one >= action::finish;
}

// A machine, and what has happened to it: each step is checked against the promises of agent/queue/README.md.
class watched {
 public:
  actions step(const input& what) {
    const state before = machine_.now();
    if (const auto* looks = std::get_if<event::look_for>(&what); looks != nullptr && before == state::idle) {
      recorded_ = looks->taken;
      listed_ = true;
    }
    wanted_ |= std::holds_alternative<event::take_off>(what) && before != state::over;
    recorded_ |= std::holds_alternative<event::recorded>(what) && before != state::over;
    const actions done = machine_.step(what);
    for (const action one : done) check(one, done, before, what);
    if (before == state::over) CHECK(done.empty());
    CHECK((machine_.now() == state::over) == (before == state::over || (!done.empty() && is_end(done.back()))));
    return done;
  }
  state now() const { return machine_.now(); }

 private:
  void check(action one, const actions& all, state before, const input& what) {
    if (is_end(one)) CHECK(one == all.back());
    switch (one) {
      case action::tell_collected:
      case action::tell_found:
        CHECK(one == all.back());
        CHECK((one == action::tell_found) == listed_);
        CHECK_FALSE(std::exchange(told_, true));
        listed_ = true;
        break;
      case action::announce:
        CHECK((wanted_ && !recorded_));
        break;
      case action::record:
        CHECK(before == state::announcing);
        break;
      case action::settle:
        CHECK((wanted_ && recorded_ && listed_));
        break;
      case action::finish:
        CHECK((before == state::settling && std::holds_alternative<event::settled>(what)));
        break;
      case action::collect_anew:
        CHECK_FALSE(listed_);
        break;
      case action::look_anew:
        CHECK(listed_);
        break;
      case action::fail_missing:
        CHECK_FALSE(recorded_);  // who may have taken some of them himself misses none
        break;
      case action::fail_overtaken:
        CHECK(recorded_);
        break;
      default:
        break;
    }
  }

  machine machine_;
  bool listed_ = false, told_ = false, wanted_ = false, recorded_ = false;
};

watched after(const std::vector<input>& events) {
  watched made;
  for (const auto& one : events) made.step(one);
  return made;
}

const std::vector<input> collected{event::collect{}, event::begun{}, event::enough{3, 3, 0}, event::written{}};

std::vector<input> with(std::vector<input> before, const std::vector<input>& more) {
  before.insert(before.end(), more.begin(), more.end());
  return before;
}

}  // namespace

TEST_CASE("queue machine: the course of one that nothing happens to") {
  watched m;
  CHECK(m.step(event::collect{}) == actions{action::join});
  CHECK(m.step(event::begun{}) == actions{action::make_file, action::receive});
  CHECK(m.step(event::enough{3, 3, 0}) == actions{action::write});
  CHECK(m.step(event::written{}) == actions{action::tell_collected});
  CHECK(m.step(event::take_off{}) == actions{action::announce});
  CHECK(m.step(event::announced{}) == actions{action::record});
  CHECK(m.step(event::recorded{}) == actions{action::settle});
  CHECK(m.step(event::settled{}) == actions{action::finish});
}

TEST_CASE("queue machine: every event in every state, and what may follow, keeps the promises") {
  std::set<state> seen;
  std::vector<watched> edge{watched()};
  for (int depth = 0; depth < 5; ++depth) {
    std::vector<watched> next;
    for (const auto& from : edge) {
      seen.insert(from.now());
      for (const auto& one : every_event()) {
        watched copy = from;
        const auto done = copy.step(one);
        if (!done.empty() || copy.now() != from.now()) next.push_back(copy);
      }
    }
    edge = std::move(next);
  }
  // The rest of the course is longer than that: from each of its states again.
  auto course = collected;
  for (const input& next :
       std::vector<input>{event::take_off{}, event::announced{}, event::recorded{}, event::settled{}}) {
    course.push_back(next);
    const auto from = after(course);
    seen.insert(from.now());
    for (const auto& first : every_event()) {
      for (const auto& second : every_event()) {
        for (const auto& third : every_event()) {
          watched copy = from;
          for (const auto& one : {first, second, third}) copy.step(one);
        }
      }
    }
  }
  CHECK(seen.size() == 9);
}

TEST_CASE("queue machine: what is lost before the list is told is collected anew, and looked for after it") {
  for (std::size_t length = 1; length < collected.size(); ++length) {
    auto m = after({collected.begin(), collected.begin() + static_cast<std::ptrdiff_t>(length)});
    CHECK(m.step(event::lost{}) == actions{action::collect_anew});
    CHECK(m.now() == state::collecting);
    CHECK(m.step(event::begun{}) == actions{action::make_file, action::receive});
  }
  auto m = after(collected);
  CHECK(m.step(event::lost{}) == actions{action::look_anew});
  CHECK(m.step(event::begun{}) == actions{action::receive});
  CHECK(m.step(event::enough{3, 3, 0}) == actions{action::write});
  CHECK(m.step(event::written{}).empty());  // it was told before
  CHECK(m.step(event::take_off{}) == actions{action::announce});
}

TEST_CASE("queue machine: messages that are not there are somebody else's, unless they may be taken off already") {
  auto m = after(with(collected, {event::lost{}, event::begun{}}));
  CHECK(m.step(event::enough{3, 1, 0}) == actions{action::fail_missing});
  m = after(with(collected, {event::take_off{}, event::announced{}, event::lost{}, event::begun{}}));
  CHECK(m.step(event::enough{3, 1, 0}) == actions{action::fail_missing});
  m = after(with(collected, {event::take_off{}, event::announced{}, event::lost{}, event::recorded{}, event::begun{}}));
  CHECK(m.step(event::enough{3, 1, 0}) == actions{action::write});
  CHECK(m.step(event::written{}) == actions{action::settle});
}

TEST_CASE("queue machine: another activation goes on where the record says") {
  auto m = after({event::look_for{}, event::begun{}, event::enough{3, 3, 0}});
  CHECK(m.step(event::written{}) == actions{action::tell_found});
  m = after({event::look_for{true, false}, event::begun{}, event::enough{3, 0, 0}, event::written{}});
  CHECK(m.step(event::take_off{}) == actions{action::settle});
  m = after({event::look_for{true, false}});
  CHECK(m.step(event::begun{true}) == actions{action::fail_overtaken});
  m = after({event::look_for{false, true}});
  CHECK(m.step(event::begun{}) == actions{action::make_file, action::receive});
  // Lost while the file was made again: it still is not there.
  m.step(event::lost{});
  CHECK(m.step(event::begun{}) == actions{action::make_file, action::receive});
}

TEST_CASE("queue machine: each failure says what it is") {
  CHECK(after({event::collect{}, event::begun{}}).step(event::enough{}) == actions{action::fail_empty});
  CHECK(after({event::collect{}, event::begun{}}).step(event::enough{0, 0, 2}) == actions{action::fail_no_group});
  CHECK(after({event::collect{}, event::begun{}}).step(event::unfit{}) == actions{action::fail_unfit});
  CHECK(after({event::look_for{}, event::begun{}}).step(event::unfit{}).empty());
  CHECK(after({event::collect{}}).step(event::refused{}) == actions{action::fail_refused});
  CHECK(after({event::collect{}, event::begun{}, event::enough{3, 3, 0}}).step(event::written{true}) ==
        actions{action::fail_unwritten});
}
