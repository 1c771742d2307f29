#include "agent/transfer/source_machine.hpp"

#include <array>
#include <new>

#include "test/unit/seed.hpp"
#include "test/unit/transfer/source_machine_paths.hpp"

using namespace baton;
using namespace baton::test;
using namespace baton::transfer::source_event;
using baton::transfer::source_state;
namespace action = baton::transfer::source_action;

namespace {

source_limits with_recovery(std::int64_t timeout_ms) {
  source_limits limits;
  limits.recovery_timeout_ms = timeout_ms;
  return limits;
}

watched_source machine_at(const source_path& path, source_limits limits = {}) {
  watched_source machine(limits, 1);
  for (const auto& event : path.events) machine.step(event, 1000);
  return machine;
}

watched_source machine_at(const std::string& name, source_limits limits = {}) {
  for (const auto& path : source_paths()) {
    if (path.name == name) return machine_at(path, limits);
  }
  throw std::logic_error("no path " + name);
}

std::vector<source_input> every_event(std::uint64_t attempt) {
  std::vector<source_input> events{start{},  start{true},   planned{}, plan_failed{}, broken{},
                                   cancel{}, unreachable{}, tick{},    taken_over{},  better_path{}};
  for (const std::uint64_t of : {attempt - 1, attempt, attempt + 1}) {
    for (const int code : {0, 40, 45, 52}) events.push_back(negotiated{of, code});
    events.push_back(negotiated{of, 0});
    events.push_back(path_open{of, 3});
    events.push_back(path_lost{of});
    for (const bool no_room : {false, true}) events.push_back(halted{of, no_room});
    for (const bool yes : {false, true}) {
      events.push_back(frame_read{of, yes});
      for (const std::uint64_t frames : {0U, 1U, 2U, 1000U}) events.push_back(acked{of, frames, yes});
    }
  }
  return events;
}

// A frame of this attempt comes only when one was asked for; all else may come at any time.
bool may_come(const watched_source& machine, const source_input& event) {
  const auto* frame = std::get_if<frame_read>(&event);
  return frame == nullptr || frame->attempt != machine.attempt() || machine.reading();
}

int finish_code(const std::vector<source_output>& actions) {
  const auto ends = all_of<action::finish>(actions);
  REQUIRE(ends.size() == 1);
  return ends[0].code;
}

}  // namespace

TEST_CASE("each path leads to its state and together they are all states") {
  std::vector<bool> seen(13, false);
  for (const auto& path : source_paths()) {
    INFO(path.name);
    CHECK(machine_at(path).state() == path.state);
    seen[static_cast<std::size_t>(path.state)] = true;
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(source_state::recovery_timed_out); ++i) CHECK(seen[i]);
}

TEST_CASE("every event in every state keeps the invariants") {
  for (const std::int64_t timeout : {-1, 0, 90000}) {
    for (const auto& path : source_paths()) {
      const auto attempt = machine_at(path, with_recovery(timeout)).attempt();
      for (const auto& event : every_event(std::max<std::uint64_t>(attempt, 1))) {
        INFO(path.name << " then " << name_of(event) << " with recovery timeout " << timeout);
        auto machine = machine_at(path, with_recovery(timeout));
        if (!may_come(machine, event)) continue;
        machine.step(event, 2000);
        for (const auto& second : every_event(std::max<std::uint64_t>(machine.attempt(), 1))) {
          auto copy = machine;
          if (may_come(copy, second)) copy.step(second, 200000);
        }
      }
    }
  }
}

TEST_CASE("a transfer without trouble goes through its states") {
  watched_source machine({}, 7);
  CHECK(all_of<action::make_plan>(machine.step(start{}, 0)).size() == 1);
  CHECK(all_of<action::negotiate>(machine.step(planned{}, 0)).at(0).attempt == 7);
  const auto begun = machine.step(negotiated{7, 0}, 0);
  CHECK(all_of<action::open_reader>(begun).at(0).attempt == 7);
  CHECK(all_of<action::open_path>(begun).size() == 1);
  CHECK(all_of<action::read_frame>(begun).empty());
  CHECK(all_of<action::read_frame>(machine.step(path_open{7, 2}, 0)).size() == 1);
  CHECK(all_of<action::read_frame>(machine.step(frame_read{7, false}, 0)).size() == 1);
  CHECK(all_of<action::read_frame>(machine.step(frame_read{7, false}, 0)).empty());  // the window is full
  CHECK(all_of<action::read_frame>(machine.step(acked{7, 1, false}, 0)).size() == 1);
  CHECK(all_of<action::send_frame>(machine.step(frame_read{7, true}, 0)).size() == 1);
  CHECK(machine.state() == source_state::running);
  CHECK(finish_code(machine.step(acked{7, 3, true}, 0)) == code_complete);
  CHECK(machine.state() == source_state::complete);
  CHECK(machine.recoveries() == 0);
}

TEST_CASE("a destination without capacity is asked again and again") {
  source_limits limits;
  limits.capacity_retry_ms = 500;
  auto machine = machine_at("refused for capacity", limits);
  for (std::uint64_t attempt = 2; attempt < 20; ++attempt) {
    CHECK(machine.wake() <= 1000 * static_cast<std::int64_t>(attempt));
    const auto asked = machine.step(tick{}, 1000 * static_cast<std::int64_t>(attempt));
    CHECK(all_of<action::negotiate>(asked).at(0).attempt == attempt);
    machine.step(negotiated{attempt, code_destination_capacity}, 1000 * static_cast<std::int64_t>(attempt));
    CHECK(machine.state() == source_state::waiting_for_capacity);
  }
  machine.step(tick{}, 30000);
  machine.step(negotiated{20, 0}, 30000);
  CHECK(machine.state() == source_state::running);
}

TEST_CASE("a destination without capacity fails a transfer that is told so") {
  source_limits limits;
  limits.fail_at_capacity = true;
  auto machine = machine_at("asked", limits);
  CHECK(finish_code(machine.step(negotiated{1, code_destination_capacity}, 0)) == code_destination_capacity);
}

TEST_CASE("the destination's refusal is the transfer's result") {
  CHECK(finish_code(machine_at("asked").step(negotiated{1, 52}, 0)) == 52);
  CHECK(finish_code(machine_at("asked again").step(negotiated{2, 52}, 0)) == 52);
}

TEST_CASE("frames and acknowledgements of an older attempt change nothing") {
  for (const char* name : {"asked again", "resumed", "resumed and moving"}) {
    auto machine = machine_at(name);
    for (const source_input& old :
         std::vector<source_input>{frame_read{1, false}, frame_read{1, true}, acked{1, 1, false}, acked{1, 2, true},
                                   negotiated{1, 0}, negotiated{1, 40}}) {
      INFO(name << " " << name_of(old));
      const auto before = machine.state();
      CHECK(machine.step(old, 1000).empty());
      CHECK(machine.state() == before);
    }
  }
}

TEST_CASE("an acknowledgement of more than was sent is not believed") {
  auto machine = machine_at("moving");
  CHECK(machine.step(acked{1, 2, true}, 1000).empty());
  CHECK(machine.state() == source_state::running);
}

TEST_CASE("an acknowledgement that is late does not open the window again") {
  auto machine = machine_at("window full");
  CHECK(all_of<action::read_frame>(machine.step(acked{1, 0, false}, 1000)).empty());
  CHECK(all_of<action::read_frame>(machine.step(acked{1, 1, false}, 1000)).empty());
  CHECK(all_of<action::read_frame>(machine.step(acked{1, 2, false}, 1000)).size() == 1);
}

TEST_CASE("cancelling ends in a state that says whether data had been sent") {
  for (const auto& path : source_paths()) {
    auto machine = machine_at(path);
    if (transfer::is_end(machine.state())) continue;
    INFO(path.name);
    const auto actions = machine.step(cancel{}, 2000);
    CHECK(finish_code(actions) == code_cancelled);
    bool data = false;
    for (const auto& event : path.events) {
      if (const auto* terms = std::get_if<negotiated>(&event)) data |= terms->code == 0;
      if (const auto* begun = std::get_if<start>(&event)) data |= begun->adopted;
    }
    CHECK(machine.state() == (data ? source_state::cancelled_in_progress : source_state::cancelled_new));
  }
}

TEST_CASE("silence leads to a question with a new attempt and is told once") {
  auto machine = machine_at("moving");
  REQUIRE(machine.wake() == 1000 + source_limits{}.ack_timeout_ms);
  const auto first = machine.step(tick{}, *machine.wake());
  CHECK(all_of<action::recover>(first).size() == 1);
  CHECK(all_of<action::negotiate>(first).at(0).attempt == 2);
  for (std::uint64_t attempt = 3; attempt < 10; ++attempt) {
    const auto more = machine.step(tick{}, *machine.wake());
    CHECK(all_of<action::recover>(more).empty());
    CHECK(all_of<action::negotiate>(more).at(0).attempt == attempt);
  }
  CHECK(machine.recoveries() == 1);
  machine.step(negotiated{9, 0}, 1000000);
  CHECK(machine.state() == source_state::resuming);
  machine.step(acked{9, 0, false}, 1000000);
  CHECK(machine.state() == source_state::running);
  machine.step(tick{}, 1060000);
  CHECK(machine.recoveries() == 2);
}

TEST_CASE("without a recovery timeout recovery goes on for ever") {
  auto machine = machine_at("adopted", with_recovery(-1));
  for (int i = 0; i < 1000; ++i) machine.step(tick{}, *machine.wake());
  CHECK(machine.state() == source_state::recovering);
  machine.step(planned{}, 1000000000);
  for (int i = 0; i < 1000; ++i) machine.step(tick{}, *machine.wake());
  CHECK(machine.state() == source_state::resynchronising);
}

TEST_CASE("a recovery timeout of 0 ends the transfer at the first trouble") {
  for (const char* name : {"asked", "moving", "refused for capacity"}) {
    auto machine = machine_at(name, with_recovery(0));
    INFO(name);
    if (machine.state() == source_state::waiting_for_capacity) machine.step(tick{}, *machine.wake());
    CHECK(finish_code(machine.step(tick{}, *machine.wake())) == code_recovery_timed_out);
    CHECK(machine.state() == source_state::recovery_timed_out);
  }
  watched_source adopted(with_recovery(0), 1);
  CHECK(finish_code(adopted.step(start{true}, 0)) == code_recovery_timed_out);
}

TEST_CASE("a recovery timeout ends the transfer at its time and not before") {
  for (const bool planned_in_time : {false, true}) {
    watched_source machine(with_recovery(90000), 1);
    machine.step(start{true}, 5000);
    if (planned_in_time) machine.step(planned{}, 6000);
    std::int64_t now = 6000;
    while (!transfer::is_end(machine.state())) {
      REQUIRE(machine.wake() >= now);
      now = *machine.wake();
      REQUIRE(now <= 95000);
      machine.step(tick{}, now);
    }
    CHECK(now == 95000);
    CHECK(machine.state() == source_state::recovery_timed_out);
  }
}

TEST_CASE("a recovery that succeeded gives the next one its full time") {
  auto machine = machine_at("resumed and moving", with_recovery(90000));
  machine.step(tick{}, 1000000);
  machine.step(tick{}, 1080000);
  CHECK(machine.state() == source_state::resynchronising);
  machine.step(tick{}, 1090000);
  CHECK(machine.state() == source_state::recovery_timed_out);
}

TEST_CASE("an adopted transfer asks where to go on as soon as its plan is at hand") {
  for (const std::int64_t timeout : {-1, 90000}) {
    watched_source machine(with_recovery(timeout), 1);
    CHECK(all_of<action::make_plan>(machine.step(start{true}, 0)).size() == 1);
    CHECK(machine.state() == source_state::recovering);
    CHECK(all_of<action::negotiate>(machine.step(planned{}, 3000)).size() == 1);
    CHECK(machine.state() == source_state::resynchronising);
    machine.step(negotiated{1, 0}, 4000);
    CHECK(machine.state() == source_state::resuming);
    machine.step(path_open{1, 2}, 4000);
    CHECK(machine.sent() == 0);
    CHECK(machine.reading());
    CHECK(machine.recoveries() == 1);
  }
}

TEST_CASE("a plan that cannot be made ends the transfer with its code") {
  CHECK(finish_code(machine_at("planning").step(plan_failed{46}, 0)) == 46);
  CHECK(finish_code(machine_at("adopted").step(plan_failed{46}, 0)) == 46);
  CHECK(machine_at("asked").step(plan_failed{46}, 0).empty());
}

TEST_CASE("a random walk of ten thousand steps keeps the invariants") {
  BATON_SEEDED(random);
  source_limits limits = with_recovery(300000);
  std::int64_t now = 0;
  int ends = 0;
  auto machine = watched_source(limits, 1);
  for (int i = 0; i < 10000; ++i) {
    now += static_cast<std::int64_t>(below(random, 2000));
    const auto attempt = std::max<std::uint64_t>(machine.attempt(), 1);
    const auto events = every_event(attempt);
    // Mostly what moves a transfer on, so that it gets somewhere; now and then anything.
    const std::vector<source_input> usual{start{},
                                          planned{},
                                          tick{},
                                          negotiated{attempt, 0},
                                          path_open{attempt, 1 + static_cast<std::uint32_t>(below(random, 4))},
                                          frame_read{attempt, below(random, 50) == 0},
                                          acked{attempt, machine.sent(), false}};
    auto event = usual[below(random, usual.size())];
    if (below(random, 40) == 0) event = events[below(random, events.size())];
    if (!may_come(machine, event)) continue;
    if (std::holds_alternative<tick>(event)) {
      if (!machine.wake()) continue;
      now = std::max(now, *machine.wake());
    }
    machine.step(event, now);
    if (transfer::is_end(machine.state()) && below(random, 3) == 0) {
      ++ends;
      machine.~watched_source();
      limits.recovery_timeout_ms = std::array<std::int64_t, 3>{-1, 0, 300000}[below(random, 3)];
      new (&machine) watched_source(limits, 1 + below(random, 1000));
    }
  }
  CHECK(ends > 10);
}

TEST_CASE("a source that was outbid asks again soon and does not end") {
  for (const char* name : {"asked", "asked again"}) {
    auto machine = machine_at(name);
    const auto attempt = machine.attempt();
    CHECK(all_of<action::finish>(machine.step(negotiated{attempt, code_outbid}, 5000)).empty());
    REQUIRE(machine.wake() == 5000 + source_limits{}.outbid_retry_ms);
    CHECK(all_of<action::negotiate>(machine.step(tick{}, *machine.wake())).at(0).attempt == attempt + 1);
  }
}

TEST_CASE("a destination that was taken over is asked at once and no timeout is waited for") {
  for (const char* where : {"asked", "moving", "window full", "last frame sent", "asked again", "resumed"}) {
    INFO(where);
    auto machine = machine_at(where);
    const auto before = machine.attempt();
    const auto asks = all_of<action::negotiate>(machine.step(taken_over{}, 1001));
    REQUIRE(asks.size() == 1);
    CHECK(asks[0].attempt == before + 1);
  }
  for (const char* where : {"planning", "adopted", "refused for capacity"}) {
    INFO(where);
    auto machine = machine_at(where);
    CHECK(all_of<action::negotiate>(machine.step(taken_over{}, 1001)).empty());
  }
}

TEST_CASE("a path that is lost is asked past at once, and is no recovery") {
  for (const char* where : {"opening a path", "moving", "window full", "last frame sent", "resumed"}) {
    INFO(where);
    auto machine = machine_at(where, with_recovery(0));
    if (transfer::is_end(machine.state())) continue;  // it came there by recovering
    const auto before = machine.attempt();
    const auto actions = machine.step(path_lost{before}, 1001);
    CHECK(all_of<action::negotiate>(actions).at(0).attempt == before + 1);
    CHECK(all_of<action::recover>(actions).empty());
    CHECK(machine.state() == source_state::negotiating);
    CHECK(machine.step(path_lost{before}, 1002).empty());
  }
}

TEST_CASE("a better path is taken when nothing is under way on the one before") {
  auto machine = machine_at("window full");  // two frames are under way, and a third has been acknowledged
  CHECK(machine.step(better_path{}, 1001).empty());
  CHECK(all_of<action::open_path>(machine.step(acked{1, 2, false}, 1002)).empty());
  const auto quiet = machine.step(acked{1, 3, false}, 1003);
  CHECK(all_of<action::open_path>(quiet).size() == 1);
  CHECK(all_of<action::read_frame>(quiet).empty());
  CHECK(all_of<action::read_frame>(machine.step(path_open{1, 2}, 1004)).size() == 1);
  auto idle = machine_at("opening a path");
  CHECK(idle.step(better_path{}, 1001).empty());
}

TEST_CASE("a destination that could not use what came is asked again at once, and one without room later") {
  for (const char* where : {"opening a path", "moving", "window full", "last frame sent", "resumed"}) {
    INFO(where);
    auto machine = machine_at(where);
    const auto attempt = machine.attempt();
    auto full = machine;
    const auto again = machine.step(halted{attempt, false}, 1001);
    CHECK(all_of<action::negotiate>(again).at(0).attempt == attempt + 1);
    CHECK(all_of<action::recover>(again).empty());
    CHECK(machine.state() == source_state::negotiating);
    CHECK(machine.step(halted{attempt, true}, 1002).empty());
    CHECK(all_of<action::negotiate>(full.step(halted{attempt, true}, 1001)).empty());
    CHECK(full.state() == source_state::waiting_for_capacity);
    REQUIRE(full.wake() == 1001 + source_limits{}.capacity_retry_ms);
    CHECK(full.step(frame_read{attempt, false}, 1002).empty());
    CHECK(full.step(path_lost{attempt}, 1002).empty());
    CHECK(all_of<action::negotiate>(full.step(tick{}, *full.wake())).at(0).attempt == attempt + 1);
  }
}

TEST_CASE("a transfer that does not wait for capacity ends when there is no room") {
  source_limits limits;
  limits.fail_at_capacity = true;
  CHECK(finish_code(machine_at("moving", limits).step(halted{1, true}, 1001)) == code_destination_capacity);
}

TEST_CASE("a transfer that must not recover ends when its destination is taken over") {
  auto machine = machine_at("moving", with_recovery(0));
  CHECK(finish_code(machine.step(taken_over{}, 1001)) == code_recovery_timed_out);
}
