// A lock machine that is looked at from outside after every step: the six invariants of agent/lock/machine.hpp.
#pragma once

#include <catch2/catch.hpp>
#include <functional>
#include <limits>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "agent/lock/machine.hpp"

namespace baton::test {

namespace action = lock::action;
namespace event = lock::event;
using lock::state;

inline std::string text_of(const lock::output& what) {
  const auto token = [](const action::send& s) {
    if (s.what.epoch == 0) return std::string("seed");
    const std::string kind = s.what.moved           ? "moved"
                             : s.what.released      ? "released"
                             : s.what.sequence == 0 ? "claim"
                                                    : "renewal";
    return kind + (kind == "renewal" && s.durable ? " (durable)" : "");
  };
  if (const auto* s = std::get_if<action::send>(&what)) return "send " + token(*s);
  if (const auto* a = std::get_if<action::activate>(&what)) return a->clean ? "activate (clean)" : "activate";
  if (const auto* c = std::get_if<action::connect>(&what)) {
    constexpr const char* where[] = {"", " (next)", " (first)"};
    return std::string("connect") + where[static_cast<std::size_t>(c->where)];
  }
  constexpr const char* names[] = {"connect", "disconnect", "", "settle", "", "deactivate", "excluded", "admitted"};
  return names[what.index()];
}

template <class Action>
std::vector<Action> all_of(const std::vector<lock::output>& out) {
  std::vector<Action> found;
  for (const auto& o : out) {
    if (const auto* a = std::get_if<Action>(&o)) found.push_back(*a);
  }
  return found;
}

class watched_machine {
 public:
  explicit watched_machine(lock::limits l = {}, std::uint64_t seed = 1)
      : machine_(l, "me", seed), lease_ms_(l.lease_ms) {}

  std::vector<lock::output> step(const lock::input& happened, std::int64_t now_ms) {
    const state before = machine_.state();
    now_ = now_ms;
    const auto generation = machine_.current();
    const bool listened = listens();
    const auto out = machine_.step(happened, now_ms);
    // What comes in the step in which the lease is found to be over is of a connection that is gone.
    if (listened && generation == machine_.current()) look_at(happened);
    for (const auto& o : out) look_at(o, now_ms);
    check(before, std::holds_alternative<event::tick>(happened), now_ms);
    return out;
  }
  // The time that it asked for comes.
  std::vector<lock::output> wake() { return step(event::tick{}, machine_.wake_ms()); }

  const lock::machine& operator*() const { return machine_; }
  const lock::machine* operator->() const { return &machine_; }
  std::int64_t now() const { return now_; }  // of the last step
  lock::generation current() const { return machine_.current(); }
  // Of the last sent token that is not a seed.
  std::uint64_t sequence() const { return sequence_; }

 private:
  void look_at(const lock::input& happened) {
    const auto* d = std::get_if<event::delivered>(&happened);
    if (d == nullptr || d->of != machine_.current()) return;
    if (d->what.run != "me") seen_ = std::max(seen_, d->what.epoch);
    if (d->what.run == "me" && d->what.sequence == 0) claim_back_ = {d->of, d->what.epoch};
  }
  void look_at(const lock::output& o, std::int64_t now_ms) {
    if (std::holds_alternative<action::deactivate>(o)) open_ = false;
    if (const auto* s = std::get_if<action::send>(&o); s != nullptr && s->what.epoch > 0) {
      sequence_ = s->what.sequence;
      last_sent_ = now_ms;
      CHECK(s->what.run == "me");
    }
    const auto* a = std::get_if<action::activate>(&o);
    if (a == nullptr) return;
    open_ = true;
    CHECK(claim_back_ == std::pair{machine_.current(), a->epoch});  // 2
    CHECK(a->epoch > seen_);                                        // 3
    CHECK(a->epoch > won_);                                         // 3
    won_ = a->epoch;
  }
  void check(state before, bool ticked, std::int64_t now_ms) const {
    const state after = machine_.state();
    CHECK(open_ == (after == state::recovering || after == state::active));  // 1 and 4
    if (open_) CHECK(machine_.deadline_ms() > now_ms);
    if (open_) CHECK(machine_.deadline_ms() <= last_sent_ + lease_ms_);
    if (!open_) CHECK(machine_.deadline_ms() == 0);
    if (before == state::suspended)  // 5
      CHECK((after == state::suspended || after == state::standby || after == state::stopped));
    CHECK((machine_.wake_ms() == std::numeric_limits<std::int64_t>::max()) == (after == state::stopped));  // 6
    if (ticked) CHECK(machine_.wake_ms() > now_ms);
  }

  bool listens() const {
    const state s = machine_.state();
    return s == state::standby || s == state::claiming || s == state::recovering || s == state::active;
  }

  lock::machine machine_;
  std::int64_t lease_ms_ = 0, last_sent_ = 0, now_ = 0;
  bool open_ = false;
  std::uint64_t seen_ = 0, won_ = 0, sequence_ = 0;
  std::pair<lock::generation, std::uint64_t> claim_back_;
};

// A way to each state, and to what differs within one. Begins at 0.
struct lock_path {
  std::string name;
  lock::state state;
  std::function<void(watched_machine&)> walk;
  std::int64_t hang_back_ms = 0;
};

inline void to_standby(watched_machine& m) {
  m.step(event::start{}, 0);
  m.step(event::connected{m.current(), false}, 0);
}
inline void to_claiming(watched_machine& m) {
  to_standby(m);
  m.step(event::delivered{m.current(), 1, {4, 7, "other", false, false}}, 0);
}
inline void to_recovering(watched_machine& m) {
  to_claiming(m);
  m.step(event::delivered{m.current(), 2, {m->epoch(), 0, "me", false, false}}, 0);
  m.step(event::accepted{m.current(), m->epoch(), 0}, 0);
}
inline void to_active(watched_machine& m) {
  to_recovering(m);
  m.step(event::recovered{m.current()}, 0);
}
// No lease of an earlier epoch can be left.
inline void alone(watched_machine& m) {
  std::uint64_t renewal = 0;
  for (const std::int64_t at : {1000, 2000, 4000}) {
    m.step(event::tick{}, at);
    m.step(event::delivered{m.current(), 2 + ++renewal, {m->epoch(), renewal, "me", false, false}}, at);
  }
}
inline void to_suspended(watched_machine& m) {
  to_active(m);
  m.step(event::delivered{m.current(), 3, {9, 0, "other", false, false}}, 0);
}

inline std::vector<lock_path> paths_to_the_lock() {
  return {
      {"disconnected", state::disconnected,
       [](watched_machine& m) {
         m.step(event::start{}, 0);
         m.step(event::lost{m.current()}, 0);
       }},
      {"disconnected, connecting", state::disconnected, [](watched_machine& m) { m.step(event::start{}, 0); }},
      {"disconnected, refused", state::disconnected,
       [](watched_machine& m) {
         m.step(event::start{}, 0);
         m.step(event::refused{m.current()}, 0);
         m.step(event::tick{}, 5000);
       }},
      {"standby", state::standby, to_standby},
      {"standby, less preferred", state::standby, to_standby, 270},
      {"standby, gave way", state::standby,
       [](watched_machine& m) {
         to_standby(m);
         m.step(event::delivered{m.current(), 1, {4, 7, "other", false, false}}, 0);
         m.step(event::tick{}, 270);
         m.step(event::connected{m.current(), false}, 270);
       },
       270},
      {"claiming", state::claiming, to_claiming},
      {"claiming, accepted", state::claiming,
       [](watched_machine& m) {
         to_claiming(m);
         m.step(event::accepted{m.current(), m->epoch(), 0}, 0);
       }},
      {"claiming, back", state::claiming,
       [](watched_machine& m) {
         to_claiming(m);
         m.step(event::delivered{m.current(), 2, {m->epoch(), 0, "me", false, false}}, 0);
       }},
      {"claiming, back, other as high", state::claiming,
       [](watched_machine& m) {
         to_claiming(m);
         m.step(event::delivered{m.current(), 3, {m->epoch(), 0, "other", false, false}}, 0);
         m.step(event::delivered{m.current(), 2, {m->epoch(), 0, "me", false, false}}, 0);
       }},
      {"claiming, accepted, moved", state::claiming,
       [](watched_machine& m) {
         to_standby(m);
         m.step(event::delivered{m.current(), 1, {4, 7, "other", true, true}}, 0);
         m.step(event::accepted{m.current(), m->epoch(), 0}, 0);
       }},
  };
}

inline std::vector<lock_path> paths_with_the_lock() {
  return {
      {"recovering", state::recovering, to_recovering},
      {"active", state::active, to_active},
      {"active, renewing", state::active,
       [](watched_machine& m) {
         to_active(m);
         m.step(event::tick{}, 1000);
       }},
      {"active, confirming", state::active,
       [](watched_machine& m) {
         to_active(m);
         m.step(event::outbid{8}, 0);
       }},
      {"active, alone", state::active,
       [](watched_machine& m) {
         to_active(m);
         alone(m);
       }},
      {"suspended", state::suspended, to_suspended},
      {"suspended, connecting", state::suspended,
       [](watched_machine& m) {
         to_suspended(m);
         m.wake();
       }},
      {"stepping_down", state::stepping_down,
       [](watched_machine& m) {
         to_active(m);
         m.step(event::stop{}, 0);
       }},
      {"stepping_down, quiet", state::stepping_down,
       [](watched_machine& m) {
         to_active(m);
         alone(m);
         m.step(event::stop{}, 4000);
         m.step(event::quiet{}, 4000);
       }},
      {"stepping_down, aside", state::stepping_down,
       [](watched_machine& m) {
         to_active(m);
         alone(m);
         m.step(event::step_aside{1000, false}, 4000);
       }},
      {"stepping_down, moving, quiet", state::stepping_down,
       [](watched_machine& m) {
         to_active(m);
         alone(m);
         m.step(event::step_aside{1, true}, 4000);
         m.step(event::quiet{}, 4000);
       }},
      {"stopped", state::stopped, [](watched_machine& m) { m.step(event::stop{}, 0); }},
  };
}

inline std::vector<lock_path> lock_paths() {
  auto all = paths_to_the_lock();
  for (auto& path : paths_with_the_lock()) all.push_back(std::move(path));
  return all;
}

}  // namespace baton::test
