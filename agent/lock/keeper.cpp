#include "agent/lock/keeper.hpp"

#include <algorithm>
#include <limits>

namespace baton::lock {

keeper::keeper(event_loop& loop, limits l, formats::lock_token about, handlers to)
    : loop_(loop),
      about_(std::move(about)),
      to_(std::move(to)),
      machine_(l, about_.run, std::hash<std::string>{}(about_.run)) {}

keeper::~keeper() {
  loop_.cancel(timer_);
}

void keeper::feed(const input& happened) {
  waiting_.push_back(happened);
  if (busy_) return;
  busy_ = true;
  for (; !waiting_.empty(); waiting_.pop_front()) {
    const lock::state before = machine_.state();
    const auto actions = machine_.step(waiting_.front(), boot_time_ms());
    // Workers see the end of a lease before anything else is done about it.
    deadline_ms_ = machine_.deadline_ms();
    for (const auto& a : actions) std::visit([this](const auto& one) { perform(one); }, a);
    if (machine_.state() != before) to_.changed(before, machine_.state());
  }
  busy_ = false;
  loop_.cancel(timer_);
  timer_ = 0;
  if (machine_.wake_ms() == std::numeric_limits<std::int64_t>::max()) return;
  timer_ = loop_.after(std::max<std::int64_t>(machine_.wake_ms() - boot_time_ms(), 0), [this] { feed(event::tick{}); });
}

std::int64_t keeper::wake_in_ms() const {
  if (machine_.state() == state::stopped) return 0;
  return std::max<std::int64_t>(machine_.wake_ms() - boot_time_ms(), 0);
}

void keeper::delivered(generation of, delivery id, const std::string& body) {
  const auto read = formats::read_lock_token(body);
  const formats::lock_token seen = read ? *read : formats::lock_token{};
  // An instance may succeed itself: only what it has sent since its present claim is not of the one before.
  const bool present = seen.run == about_.run && seen.epoch == machine_.epoch() && state() != state::standby;
  if (!present && seen.epoch > 0 &&
      std::pair{seen.epoch, seen.sequence} >= std::pair{predecessor_.epoch, predecessor_.sequence}) {
    predecessor_ = seen;
  }
  feed(event::delivered{of, id, {seen.epoch, seen.sequence, seen.run, seen.released, seen.moved}});
}

void keeper::perform(const action::send& a) {
  formats::lock_token t = about_;
  t.epoch = a.what.epoch;
  t.sequence = a.what.sequence;
  t.released = a.what.released;
  t.moved = a.what.moved;
  t.renewed_ms = wall_time_ms();
  to_.send(machine_.current(), std::move(t), a.durable);
}

}  // namespace baton::lock
