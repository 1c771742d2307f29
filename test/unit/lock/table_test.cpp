// Every state and every event: the table in agent/lock/README.md is what the machine does.
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>

#include "test/unit/lock/watched_machine.hpp"

using namespace baton;
using namespace baton::test;

namespace {

struct named_event {
  std::string name;
  std::function<lock::input(const watched_machine&, lock::generation)> make;
  bool of_connection = true;
};

std::vector<named_event> every_event() {
  using m = const watched_machine&;
  using g = lock::generation;
  const auto token = [](std::string name, auto make) {
    return named_event{std::move(name), [=](m of, g as) { return event::delivered{as, 99, make(of)}; }, true};
  };
  return {
      {"start", [](m, g) { return event::start{}; }, false},
      {"connected",
       [](m, g as) {
         return event::connected{as, false};
       }},
      {"refused", [](m, g as) { return event::refused{as}; }},
      {"lost", [](m, g as) { return event::lost{as}; }},
      token("delivered: a seed",
            [](m) {
              return lock::token{0, 0, "other", false, false};
            }),
      token("delivered: an older epoch",
            [](m) {
              return lock::token{2, 3, "other", false, false};
            }),
      token("delivered: another's epoch as high",
            [](m of) {
              return lock::token{of->epoch(), 1, "other", false, false};
            }),
      token("delivered: another's higher epoch",
            [](m) {
              return lock::token{50, 0, "other", false, false};
            }),
      token("delivered: own claim",
            [](m of) {
              return lock::token{of->epoch(), 0, "me", false, false};
            }),
      token("delivered: own newest",
            [](m of) {
              return lock::token{of->epoch(), of.sequence(), "me", false, false};
            }),
      {"accepted: claim",
       [](m of, g as) {
         return event::accepted{as, of->epoch(), 0};
       }},
      {"accepted: newest",
       [](m of, g as) {
         return event::accepted{as, of->epoch(), of.sequence()};
       }},
      {"recovered", [](m, g as) { return event::recovered{as}; }},
      {"outbid: lower", [](m, g) { return event::outbid{1}; }, false},
      {"outbid: as high", [](m of, g) { return event::outbid{std::max<std::uint64_t>(of->epoch(), 1)}; }, false},
      {"outbid: higher", [](m, g) { return event::outbid{60}; }, false},
      {"stop", [](m, g) { return event::stop{}; }, false},
      {"step aside",
       [](m, g) {
         return event::step_aside{1000, false};
       },
       false},
      {"step aside, moving",
       [](m, g) {
         return event::step_aside{1, true};
       },
       false},
      {"quiet", [](m, g) { return event::quiet{}; }, false},
      {"tick", [](m, g) { return event::tick{}; }, false},
  };
}

watched_machine machine_at(const lock_path& path) {
  lock::limits limits;
  limits.hang_back_ms = path.hang_back_ms;
  watched_machine m(limits);
  path.walk(m);
  return m;
}

struct outcome {
  std::string next, actions;
  auto operator<=>(const outcome&) const = default;
};

outcome step(watched_machine& m, const lock::input& happened, std::int64_t now_ms) {
  std::string actions;
  for (const auto& o : m.step(happened, now_ms)) {
    const std::string text = text_of(o);
    if (text != "settle" || !actions.ends_with("settle")) actions += (actions.empty() ? "" : ", ") + text;
  }
  return {std::string(lock::to_string(m->state())), actions};
}

// The rows of a state: events with the same outcome share one; those that change neither state nor world have none.
std::string rows_of(const lock_path& path) {
  std::vector<std::pair<outcome, std::string>> rows;
  const auto add = [&](const std::string& name, const outcome& o) {
    if (o.next == lock::to_string(path.state) && o.actions.empty()) return;
    const auto same = std::find_if(rows.begin(), rows.end(), [&](const auto& r) { return r.first == o; });
    if (same != rows.end())
      same->second += "; " + name;
    else
      rows.emplace_back(o, name);
  };
  for (const auto& e : every_event()) {
    auto m = machine_at(path);
    add(e.name, step(m, e.make(m, m.current()), m.now()));
  }
  auto m = machine_at(path);
  const auto wake = m->wake_ms();
  if (path.state != state::stopped) add("the time to wake", step(m, event::tick{}, wake));
  auto late = machine_at(path);
  if (const auto deadline = late->deadline_ms(); deadline > 0)
    add("the lease is over", step(late, event::quiet{}, deadline));
  std::string text;
  for (const auto& [o, names] : rows)
    text += "| " + path.name + " | " + names + " | " + o.next + " | " + o.actions + " |\n";
  return text;
}

std::string table() {
  std::string text = "| state | event | next | actions |\n|---|---|---|---|\n";
  for (const auto& path : lock_paths()) text += rows_of(path);
  return text;
}

std::string table_in_readme() {
  std::ifstream file(BATON_SOURCE_DIR "/agent/lock/README.md");
  const std::string all{std::istreambuf_iterator<char>(file), {}};
  const auto begin = all.find("| state | event | next | actions |\n");
  const auto end = all.find("\n\n", begin);
  return begin == std::string::npos ? "" : all.substr(begin, end - begin + 1);
}

}  // namespace

// lock_test "print the table of states" writes what belongs into the README.
TEST_CASE("print the table of states", "[.]") {
  std::cout << table();
}

TEST_CASE("the lock's README has the table of states of the machine") {
  CHECK(table_in_readme() == table());
}

TEST_CASE("each path of the lock leads to its state and together they are all states") {
  std::map<state, int> seen;
  for (const auto& path : lock_paths()) {
    INFO(path.name);
    CHECK(machine_at(path)->state() == path.state);
    ++seen[path.state];
  }
  CHECK(seen.size() == 8);
}

TEST_CASE("every two events in every state of the lock keep the invariants") {
  for (const auto& path : lock_paths()) {
    for (const auto& first : every_event()) {
      for (const auto& second : every_event()) {
        for (const std::int64_t later : {0, 900, 3999, 4000, 70000}) {
          INFO(path.name << " then " << first.name << " then " << later << " ms later " << second.name);
          auto m = machine_at(path);
          m.step(first.make(m, m.current()), m.now());
          m.step(second.make(m, m.current()), m.now() + later);
        }
      }
    }
  }
}

TEST_CASE("what happened on an older connection, or on one that is yet to come, does nothing") {
  for (const auto& path : lock_paths()) {
    for (const auto& e : every_event()) {
      if (!e.of_connection) continue;
      for (const int by : {-1, 1}) {
        auto m = machine_at(path);
        INFO(path.name << " then " << e.name << " of generation " << by << " from the current one");
        const auto before = std::tuple(m->state(), m->wake_ms(), m->deadline_ms(), m->epoch(), m.current());
        const lock::generation of = by < 0 ? m.current() - 1 : m.current() + 1;
        CHECK(m.step(e.make(m, of), m.now()).empty());
        CHECK(before == std::tuple(m->state(), m->wake_ms(), m->deadline_ms(), m->epoch(), m.current()));
      }
    }
  }
}

TEST_CASE("nothing wakes the lock of an agent that has stopped") {
  for (const auto& path : lock_paths()) {
    if (path.state != state::stopped) continue;
    for (const auto& e : every_event()) {
      auto m = machine_at(path);
      CHECK(step(m, e.make(m, m.current()), 100000) == outcome{"stopped", ""});
    }
  }
}
