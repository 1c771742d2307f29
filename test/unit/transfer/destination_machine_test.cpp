#include "agent/transfer/destination_machine.hpp"

#include <catch2/catch.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "test/unit/seed.hpp"

using namespace baton;
using namespace baton::transfer;
using baton::test::below;
using namespace baton::transfer::destination_event;
namespace action = baton::transfer::destination_action;

namespace {

using outputs = std::vector<destination_output>;

template <class Action>
std::vector<Action> all_of(const outputs& actions) {
  std::vector<Action> found;
  for (const auto& one : actions) {
    if (const auto* wanted = std::get_if<Action>(&one)) found.push_back(*wanted);
  }
  return found;
}

// Stands for the driver: keeps the queue and the frame being written, and asserts what must always hold.
class watched_destination {
 public:
  outputs step(const destination_input& event, std::int64_t now_ms = 0) {
    const bool ended = machine_.state() == destination_state::completed;
    if (const auto* made = std::get_if<written>(&event)) {
      writing_.reset();
      broken_ |= made->halted != trouble::none;
      if (made->attempt == answered_ && made->halted == trouble::none) written_ = made->sequence;
    }
    const auto actions = machine_.step(event, now_ms);
    INFO("event " << event.index() << " in " << to_string(machine_.state()));
    if (ended) REQUIRE(actions.empty());
    for (const auto& one : actions) note(one, event);
    REQUIRE(closes_ == (machine_.state() == destination_state::completed ? 1 : 0));
    REQUIRE((closes_ == 1 || !begun_ || wake_.has_value()));
    return actions;
  }

  destination_state state() const { return machine_.state(); }
  std::uint64_t attempt() const { return machine_.attempt(); }
  const std::optional<frame>& writing() const { return writing_; }
  std::size_t queued() const { return queue_.size(); }
  std::uint64_t taken() const { return taken_; }
  written done_writing(trouble halted = trouble::none, std::uint64_t ack_every = 1) const {
    return {writing_->attempt, writing_->sequence, halted, ack_every};
  }

 private:
  void note(const destination_output& one, const destination_input& event) {
    REQUIRE(closes_ == 0);  // closing is the last action
    if (std::holds_alternative<action::rewind>(one)) {
      REQUIRE_FALSE(writing_.has_value());
      queue_.clear();
      taken_ = written_ = told_ = 0;
      broken_ = false;
    } else if (const auto* told = std::get_if<action::answer>(&one)) {
      REQUIRE_FALSE(writing_.has_value());  // the position would not be right
      REQUIRE(told->attempt >= answered_);
      answered_ = told->attempt;
      begun_ = true;
    } else if (std::holds_alternative<action::queue_frame>(one)) {
      const auto& arrived = std::get<frame>(event);
      REQUIRE(arrived.attempt == answered_);
      REQUIRE(arrived.sequence == taken_ + 1);
      REQUIRE_FALSE(broken_);
      taken_ = arrived.sequence;
      queue_.push_back(arrived);
    } else if (std::holds_alternative<action::write_frame>(one)) {
      REQUIRE_FALSE(writing_.has_value());
      REQUIRE_FALSE(queue_.empty());
      writing_ = queue_.front();
      queue_.pop_front();
    } else if (const auto* told_frames = std::get_if<action::acknowledge>(&one)) {
      REQUIRE_FALSE(broken_);
      REQUIRE(told_frames->frames == written_);
      REQUIRE(told_frames->frames > told_);
      told_ = told_frames->frames;
    } else if (const auto* wake = std::get_if<action::wake_at>(&one)) {
      wake_ = wake->time_ms;
    } else if (std::holds_alternative<action::halt>(one)) {
      REQUIRE(std::get<written>(event).halted != trouble::none);
      REQUIRE(std::get<written>(event).attempt == answered_);
    } else {
      REQUIRE_FALSE(writing_.has_value());
      ++closes_;
    }
  }

  destination_machine machine_{destination_limits{1000}};
  std::deque<frame> queue_;
  std::optional<frame> writing_;
  std::uint64_t answered_ = 0, taken_ = 0, written_ = 0, told_ = 0;
  std::optional<std::int64_t> wake_;
  bool broken_ = false, begun_ = false;
  int closes_ = 0;
};

watched_destination running(std::uint64_t attempt = 5) {
  watched_destination machine;
  machine.step(negotiated{attempt});
  return machine;
}

}  // namespace

TEST_CASE("a destination answers and takes frames in order") {
  watched_destination machine;
  const auto begun = machine.step(negotiated{5});
  CHECK(all_of<action::rewind>(begun).size() == 1);
  CHECK(all_of<action::answer>(begun).at(0).attempt == 5);
  CHECK(machine.state() == destination_state::running);
  CHECK(all_of<action::write_frame>(machine.step(frame{5, 1})).size() == 1);
  CHECK(all_of<action::write_frame>(machine.step(frame{5, 2})).empty());  // one at a time
  const auto first = machine.step(machine.done_writing());
  CHECK(all_of<action::acknowledge>(first).at(0).frames == 1);
  CHECK(all_of<action::write_frame>(first).size() == 1);
  CHECK(all_of<action::acknowledge>(machine.step(machine.done_writing())).at(0).frames == 2);
  CHECK(all_of<action::close>(machine.step(finished{})).size() == 1);
  CHECK(machine.state() == destination_state::completed);
}

TEST_CASE("frames out of order or of another attempt are never queued") {
  auto machine = running(5);
  for (const frame& wrong : {frame{5, 0}, frame{5, 2}, frame{5, 99}, frame{4, 1}, frame{6, 1}}) {
    CHECK(machine.step(wrong).empty());
  }
  machine.step(frame{5, 1});
  CHECK(machine.step(frame{5, 1}).empty());
  CHECK(machine.step(frame{5, 3}).empty());
  CHECK(machine.queued() == 0);
}

TEST_CASE("a frame before any negotiation is not taken") {
  watched_destination machine;
  CHECK(machine.step(frame{0, 1}).empty());
  CHECK(machine.step(frame{1, 1}).empty());
}

TEST_CASE("an older negotiation is ignored") {
  auto machine = running(5);
  CHECK(machine.step(negotiated{4}).empty());
  CHECK(machine.attempt() == 5);
}

TEST_CASE("a new attempt waits for the frame being written") {
  auto machine = running(5);
  machine.step(frame{5, 1});
  machine.step(frame{5, 2});
  const auto asked = machine.step(negotiated{6});
  CHECK(all_of<action::answer>(asked).empty());
  CHECK(machine.state() == destination_state::restarting);
  CHECK(machine.step(frame{6, 1}).empty());  // nobody can know the position yet
  const auto after = machine.step(machine.done_writing());
  CHECK(all_of<action::acknowledge>(after).empty());
  CHECK(all_of<action::rewind>(after).size() == 1);
  CHECK(all_of<action::answer>(after).at(0).attempt == 6);
  CHECK(all_of<action::write_frame>(after).empty());
  CHECK(machine.state() == destination_state::running);
  CHECK(all_of<action::write_frame>(machine.step(frame{6, 1})).size() == 1);
}

TEST_CASE("of several new attempts while writing only the newest is answered") {
  auto machine = running(5);
  machine.step(frame{5, 1});
  machine.step(negotiated{6});
  machine.step(negotiated{8});
  CHECK(machine.step(negotiated{7}).empty());
  const auto after = machine.step(machine.done_writing());
  REQUIRE(all_of<action::answer>(after).size() == 1);
  CHECK(all_of<action::answer>(after)[0].attempt == 8);
}

TEST_CASE("after a frame that was not written to its end nothing is taken until the source asks again") {
  for (const trouble why : {trouble::damaged, trouble::no_room}) {
    auto machine = running(5);
    machine.step(frame{5, 1});
    machine.step(frame{5, 2});
    const auto told = machine.step(machine.done_writing(why));
    CHECK(told.size() == 1);
    CHECK(all_of<action::halt>(told).size() == 1);
    for (std::uint64_t i = 0; i < 5; ++i) CHECK(machine.step(frame{5, i}).empty());
    CHECK(machine.state() == destination_state::running);
    CHECK(all_of<action::answer>(machine.step(negotiated{6})).size() == 1);
    machine.step(frame{6, 1});
    CHECK(all_of<action::acknowledge>(machine.step(machine.done_writing())).size() == 1);
  }
}

TEST_CASE("frames that stay damaged are asked for again a few times, those without room for ever") {
  auto damaged = running(1), full = running(1);
  int asked = 0;
  for (std::uint64_t attempt = 1; attempt <= 20; ++attempt) {
    damaged.step(negotiated{attempt});
    damaged.step(frame{attempt, 1});
    if (!all_of<action::halt>(damaged.step(damaged.done_writing(trouble::damaged))).empty()) ++asked;
    full.step(negotiated{attempt});
    full.step(frame{attempt, 1});
    CHECK(all_of<action::halt>(full.step(full.done_writing(trouble::no_room))).size() == 1);
  }
  CHECK(asked == 5);
  damaged.step(negotiated{21});
  damaged.step(frame{21, 1});
  damaged.step(damaged.done_writing());
  damaged.step(frame{21, 2});
  CHECK(all_of<action::halt>(damaged.step(damaged.done_writing(trouble::damaged))).size() == 1);
}

TEST_CASE("the end waits for the frame being written") {
  auto machine = running(5);
  machine.step(frame{5, 1});
  machine.step(frame{5, 2});
  CHECK(machine.step(finished{}).empty());
  const auto after = machine.step(machine.done_writing());
  CHECK(after.size() == 1);
  CHECK(all_of<action::close>(after).size() == 1);
}

TEST_CASE("one acknowledgement stands for several frames, and does not wait for long") {
  auto machine = running(5);
  const auto write = [&](std::uint64_t sequence, std::uint64_t ack_every, std::int64_t now) {
    machine.step(frame{5, sequence}, now);
    return machine.step(machine.done_writing(trouble::none, ack_every), now);
  };
  CHECK(all_of<action::acknowledge>(write(1, 3, 0)).empty());
  CHECK(all_of<action::acknowledge>(write(2, 3, 10)).empty());
  CHECK(all_of<action::acknowledge>(write(3, 3, 20)).at(0).frames == 3);
  const auto waits = write(4, 3, 100);
  CHECK(all_of<action::acknowledge>(waits).empty());
  CHECK(all_of<action::wake_at>(waits).at(0).time_ms == 150);
  CHECK(all_of<action::wake_at>(machine.step(frame{5, 5}, 120)).at(0).time_ms ==
        150);  // further frames put off nothing
  CHECK(all_of<action::acknowledge>(machine.step(tick{}, 149)).empty());
  const auto due = machine.step(tick{}, 150);
  CHECK(all_of<action::acknowledge>(due).at(0).frames == 4);
  CHECK(machine.state() == destination_state::running);
  // What has something to tell goes at once, and tells of those before it too.
  CHECK(all_of<action::acknowledge>(machine.step(machine.done_writing(trouble::none, 3), 160)).empty());
  CHECK(all_of<action::acknowledge>(write(6, 1, 170)).at(0).frames == 6);
  CHECK(all_of<action::acknowledge>(machine.step(tick{}, 300)).empty());
}

TEST_CASE("an acknowledgement that waits is not one of a later attempt") {
  auto machine = running(5);
  machine.step(frame{5, 1});
  machine.step(machine.done_writing(trouble::none, 3));
  machine.step(negotiated{6}, 10);
  CHECK(all_of<action::acknowledge>(machine.step(tick{}, 500)).empty());
  machine.step(frame{6, 1}, 510);
  CHECK(all_of<action::acknowledge>(machine.step(machine.done_writing(), 520)).at(0).frames == 1);
}

TEST_CASE("a source that falls silent is taken for lost") {
  auto machine = running(5);
  CHECK(all_of<action::close>(machine.step(tick{}, 1000)).size() == 1);
}

TEST_CASE("a slow disk is not a silent source") {
  auto machine = running(5);
  machine.step(frame{5, 1});
  const auto late = machine.step(tick{}, 1000);
  CHECK(all_of<action::wake_at>(late).at(0).time_ms == 2000);
  CHECK(machine.state() == destination_state::running);
}

TEST_CASE("every event after every short history keeps the destination's invariants") {
  std::vector<std::pair<destination_input, std::int64_t>> events{{finished{}, 0}, {tick{}, 100}, {tick{}, 9000}};
  for (const std::uint64_t attempt : {1U, 2U}) {
    events.push_back({negotiated{attempt}, 0});
    for (const std::uint64_t sequence : {0U, 1U, 2U, 3U}) events.push_back({frame{attempt, sequence}, 0});
  }
  // These stand for: the frame being written is done.
  for (const trouble how : {trouble::none, trouble::damaged, trouble::no_room})
    events.push_back({written{0, 0, how}, 0});
  events.push_back({written{0, 0, trouble::none, 2}, 0});
  const std::function<void(const watched_destination&, int)> explore = [&](const watched_destination& at, int depth) {
    for (const auto& [event, now] : events) {
      auto next = at;
      if (const auto* made = std::get_if<written>(&event)) {
        if (!next.writing()) continue;
        next.step(next.done_writing(made->halted, made->ack_every));
      } else {
        next.step(event, now);
      }
      if (depth > 1) explore(next, depth - 1);
    }
  };
  explore(watched_destination(), 4);
}

TEST_CASE("a random walk of the destination keeps the invariants") {
  BATON_SEEDED(random);
  auto machine = std::make_unique<watched_destination>();
  std::uint64_t attempt = 1;
  for (int i = 0; i < 10000; ++i) {
    if (machine->state() == destination_state::completed) machine = std::make_unique<watched_destination>();
    const std::size_t choice = below(random, 100);
    if (choice < 40)
      machine->step(frame{machine->attempt(), machine->taken() + 1}, i);
    else if (choice < 75 && machine->writing())
      machine->step(machine->done_writing(choice < 73    ? trouble::none
                                          : choice == 73 ? trouble::no_room
                                                         : trouble::damaged,
                                          1 + below(random, 4)),
                    i);
    else if (choice < 75)
      continue;
    else if (choice < 85)
      machine->step(negotiated{attempt++}, i);
    else if (choice < 90)
      machine->step(negotiated{attempt - below(random, attempt)}, i);
    else if (choice < 94)
      machine->step(frame{below(random, attempt + 1), below(random, 5)}, i);
    else if (choice < 98)
      machine->step(tick{}, i);
    else
      machine->step(finished{}, i);
  }
}

TEST_CASE("an adopted transfer answers when its part file has been taken over") {
  for (const bool asked_first : {false, true}) {
    destination_machine machine({1000});
    const auto begun = machine.step(adopted{}, 0);
    CHECK(all_of<action::adopt_part>(begun).size() == 1);
    CHECK(all_of<action::wake_at>(begun).at(0).time_ms == 1000);
    CHECK(machine.state() == destination_state::recovering);
    if (!asked_first) CHECK(machine.step(part_found{}, 1).empty());
    const auto asked = machine.step(negotiated{7}, 2);
    CHECK(all_of<action::answer>(asked).size() == (asked_first ? 0 : 1));
    if (asked_first) CHECK(all_of<action::answer>(machine.step(part_found{}, 3)).size() == 1);
    CHECK(machine.state() == destination_state::running);
  }
}

TEST_CASE("an adopted transfer that its source forgot is closed") {
  destination_machine machine({1000});
  machine.step(adopted{}, 0);
  machine.step(part_found{}, 1);
  CHECK(all_of<action::close>(machine.step(tick{}, 1000)).size() == 1);
}
