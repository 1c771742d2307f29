// What the tests of the lock's steps say to a machine, and read from what it answers.
#pragma once

#include <vector>

#include "test/unit/lock/watched_machine.hpp"

namespace baton::test {

inline watched_machine active_machine(lock::limits l = {}, std::uint64_t seed = 1) {
  watched_machine m(l, seed);
  to_active(m);
  return m;
}

inline lock::input own(const watched_machine& m, std::uint64_t sequence, lock::delivery id = 50) {
  return event::delivered{m.current(), id, {m->epoch(), sequence, "me", false, false}};
}
inline lock::input others(const watched_machine& m, std::uint64_t epoch, bool released = false,
                          lock::delivery id = 60) {
  return event::delivered{m.current(), id, {epoch, 1, "other", released, false}};
}
inline lock::input taken(const watched_machine& m, std::uint64_t sequence) {
  return event::accepted{m.current(), m->epoch(), sequence};
}

inline std::vector<lock::delivery> settled(const std::vector<lock::output>& out) {
  std::vector<lock::delivery> ids;
  for (const auto& s : all_of<action::settle>(out)) ids.push_back(s.id);
  return ids;
}

// Renews, and reads what came back, until this time.
inline void renew_until(watched_machine& m, std::int64_t until) {
  while (m->wake_ms() <= until) {
    const auto sent = all_of<action::send>(m.wake());
    REQUIRE(sent.size() == 1);
    m.step(own(m, sent[0].what.sequence, 100 + sent[0].what.sequence), m.now());
    if (sent[0].durable) m.step(taken(m, sent[0].what.sequence), m.now());
  }
}

}  // namespace baton::test
