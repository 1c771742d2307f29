// Ways to bring a source_machine into each of its states, and a watcher that asserts what must always hold.
#pragma once

#include <catch2/catch.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/transfer/source_machine.hpp"

namespace baton::test {

using namespace transfer;

inline std::string name_of(const source_input& event) {
  static const char* const names[] = {"start",      "planned",   "plan_failed", "negotiated",  "frame_read",
                                      "broken",     "acked",     "cancel",      "unreachable", "tick",
                                      "taken_over", "path_open", "path_lost",   "better_path", "halted"};
  return names[event.index()];
}

template <class Action>
std::vector<Action> all_of(const std::vector<source_output>& actions) {
  std::vector<Action> found;
  for (const auto& action : actions) {
    if (const auto* one = std::get_if<Action>(&action)) found.push_back(*one);
  }
  return found;
}

// Steps a machine and asserts the invariants after each step.
class watched_source {
 public:
  watched_source(source_limits limits, std::uint64_t first_attempt)
      : machine_(limits, first_attempt), limits_(limits), asked_(first_attempt - 1) {}

  std::vector<source_output> step(const source_input& event, std::int64_t now_ms) {
    const source_state before = machine_.state();
    INFO("in " << to_string(before) << " came " << name_of(event) << " at " << now_ms << ", now "
               << to_string(machine_.state()));
    note_event(event);
    const auto actions = machine_.step(event, now_ms);
    if (is_end(before)) {
      REQUIRE(actions.empty());
      REQUIRE(machine_.state() == before);
    }
    for (const auto& action : actions) note_action(action, now_ms);
    if (std::holds_alternative<source_event::tick>(event) && !armed_now_) wake_.reset();
    armed_now_ = false;
    check_windows(actions);
    check_waits();
    REQUIRE(finishes_ == (is_end(machine_.state()) ? 1 : 0));
    if (finishes_ == 1 && !is_end(before)) REQUIRE(std::holds_alternative<source_action::finish>(actions.back()));
    return actions;
  }

  source_state state() const { return machine_.state(); }
  std::uint64_t attempt() const { return machine_.attempt(); }
  int recoveries() const { return machine_.recoveries(); }
  std::optional<std::int64_t> wake() const { return wake_; }
  bool planned() const { return planned_; }
  std::uint64_t sent() const { return sent_; }
  bool reading() const { return reading_; }

  bool moving() const { return state() == source_state::running || state() == source_state::resuming; }

 private:
  void note_event(const source_input& event) {
    if (std::holds_alternative<source_event::planned>(event)) planned_ = true;
    if (const auto* ack = std::get_if<source_event::acked>(&event)) {
      if (ack->attempt == attempt() && ack->frames <= sent_) acked_ = std::max(acked_, ack->frames);
    }
    if (const auto* path = std::get_if<source_event::path_open>(&event)) {
      if (path->attempt == attempt() && !path_open_ && moving()) {
        path_open_ = true;
        window_ = std::max<std::uint32_t>(path->window, 1);
      }
    }
    if (const auto* frame = std::get_if<source_event::frame_read>(&event)) {
      if (frame->attempt == attempt() && frame->last) last_ = true;
    }
  }

  void note_action(const source_output& action, std::int64_t now_ms) {
    if (const auto* ask = std::get_if<source_action::negotiate>(&action)) {
      REQUIRE(ask->attempt > asked_);
      REQUIRE(ask->attempt == attempt());
      asked_ = ask->attempt;
    } else if (const auto* reader = std::get_if<source_action::open_reader>(&action)) {
      REQUIRE(reader->attempt == asked_);
      sent_ = acked_ = 0;
      reading_ = last_ = false;
      path_open_ = false;
    } else if (std::holds_alternative<source_action::open_path>(action)) {
      REQUIRE(sent_ == acked_);
      REQUIRE_FALSE(reading_);
      path_open_ = false;
    } else if (std::holds_alternative<source_action::read_frame>(action)) {
      REQUIRE(path_open_);
      REQUIRE_FALSE(reading_);
      REQUIRE_FALSE(last_);
      reading_ = true;
    } else if (std::holds_alternative<source_action::send_frame>(action)) {
      REQUIRE(reading_);
      reading_ = false;
      ++sent_;
    } else if (const auto* wake = std::get_if<source_action::wake_at>(&action)) {
      wake_ = wake->time_ms;
      armed_now_ = true;
      REQUIRE(wake->time_ms <= now_ms + longest_wait());
    } else if (std::holds_alternative<source_action::finish>(action)) {
      ++finishes_;
    }
  }

  void check_windows(const std::vector<source_output>&) const {
    REQUIRE(sent_ - acked_ + (reading_ ? 1 : 0) <= window_);
  }

  // Only the plan, which a worker makes, is waited for without a time.
  void check_waits() const {
    if (is_end(machine_.state())) return;
    if (machine_.state() == source_state::new_transfer && !planned_) return;
    REQUIRE(wake_.has_value());
  }

  std::int64_t longest_wait() const {
    return std::max(
        {limits_.negotiation_timeout_ms, limits_.ack_timeout_ms, limits_.capacity_retry_ms, limits_.recovery_retry_ms});
  }

  source_machine machine_;
  const source_limits limits_;
  std::uint64_t asked_;
  std::uint64_t sent_ = 0, acked_ = 0;
  std::uint32_t window_ = 1;
  bool reading_ = false, last_ = false, planned_ = false, armed_now_ = false, path_open_ = false;
  std::optional<std::int64_t> wake_;
  int finishes_ = 0;
};

// A way to a state: events, with attempts counted from 1.
struct source_path {
  const char* name;
  source_state state;
  std::vector<source_input> events;
};

inline std::vector<source_path> source_paths() {
  using namespace source_event;
  const std::vector<source_input> planning{start{}};
  const auto then = [](std::vector<source_input> events, std::initializer_list<source_input> more) {
    events.insert(events.end(), more);
    return events;
  };
  const auto asked = then(planning, {planned{}});
  const auto running = then(asked, {negotiated{1, 0}, path_open{1, 2}});
  const auto moving = then(running, {frame_read{1, false}, acked{1, 1, false}});
  const std::vector<source_input> adopted{start{true}};
  const auto again = then(moving, {tick{}});
  const auto resumed = then(again, {negotiated{2, 0}, path_open{2, 2}});
  return {
      {"not begun", source_state::new_transfer, {}},
      {"planning", source_state::new_transfer, planning},
      {"adopted", source_state::recovering, adopted},
      {"adopted and asked", source_state::resynchronising, then(adopted, {planned{}})},
      {"asked", source_state::negotiating, asked},
      {"refused for capacity", source_state::waiting_for_capacity, then(asked, {negotiated{1, 45}})},
      {"opening a path", source_state::running, then(asked, {negotiated{1, 0}})},
      {"changing the path", source_state::running, then(moving, {frame_read{1, false}, better_path{}})},
      {"path lost", source_state::negotiating, then(moving, {path_lost{1}})},
      {"reading the first frame", source_state::running, running},
      {"moving", source_state::running, moving},
      {"window full", source_state::running, then(moving, {frame_read{1, false}, frame_read{1, false}})},
      {"last frame sent", source_state::running, then(moving, {frame_read{1, true}})},
      {"asked again", source_state::resynchronising, again},
      {"refused for capacity while recovering", source_state::waiting_for_capacity, then(again, {negotiated{2, 45}})},
      {"resumed", source_state::resuming, resumed},
      {"resumed and moving", source_state::running, then(resumed, {frame_read{2, false}, acked{2, 1, false}})},
      {"complete", source_state::complete, then(moving, {frame_read{1, true}, acked{1, 2, true}})},
      {"failed", source_state::failed, then(asked, {unreachable{}})},
      {"cancelled before data", source_state::cancelled_new, then(asked, {cancel{}})},
      {"cancelled during data", source_state::cancelled_in_progress, then(moving, {cancel{}})},
  };
}

}  // namespace baton::test
