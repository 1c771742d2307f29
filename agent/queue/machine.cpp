#include "agent/queue/machine.hpp"

#include <utility>

namespace baton::queue {

std::vector<action> machine::step(const input& happened) {
  if (state_ == state::over) return {};
  return std::visit([this](const auto& one) { return on(one); }, happened);
}

machine::actions machine::end(action last) {
  return go(state::over, last);
}

machine::actions machine::go(state next, action first) {
  state_ = next;
  return {first};
}

machine::actions machine::on(const event::collect&) {
  return state_ == state::idle ? go(state::collecting, action::join) : actions{};
}

machine::actions machine::on(const event::look_for& how) {
  if (state_ != state::idle) return {};
  listed_ = true;
  taken_ = how.taken;
  file_missing_ = how.file_missing;
  return go(state::looking, action::join);
}

machine::actions machine::on(const event::begun& how) {
  if (state_ != state::collecting && state_ != state::looking) return {};
  if (taken_ && how.overtaken) return end(action::fail_overtaken);
  if (state_ == state::collecting || file_missing_) return {action::make_file, action::receive};
  return {action::receive};
}

machine::actions machine::on(const event::refused&) {
  return end(action::fail_refused);
}

// Among those that are looked for it is none of them.
machine::actions machine::on(const event::unfit&) {
  return state_ == state::collecting ? end(action::fail_unfit) : actions{};
}

machine::actions machine::on(const event::enough& all) {
  if (state_ == state::collecting && all.listed == 0) {
    return end(all.candidates > 0 ? action::fail_no_group : action::fail_empty);
  }
  if (state_ == state::looking && all.held < all.listed && !taken_) return end(action::fail_missing);
  if (state_ != state::collecting && state_ != state::looking) return {};
  return go(state::writing, action::write);
}

machine::actions machine::on(const event::written& how) {
  if (state_ != state::writing) return {};
  if (how.failed) return end(action::fail_unwritten);
  file_missing_ = false;
  if (wanted_) return take();
  state_ = state::holding;
  const bool first = !std::exchange(listed_, true);
  if (std::exchange(told_, true)) return {};
  return {first ? action::tell_collected : action::tell_found};
}

machine::actions machine::on(const event::take_off&) {
  wanted_ = true;
  return state_ == state::holding ? take() : actions{};
}

// Other readers are told first, then the record says so, then they go: who finds none of them on the queue knows by
// these two who has them.
machine::actions machine::take() {
  return taken_ ? go(state::settling, action::settle) : go(state::announcing, action::announce);
}

machine::actions machine::on(const event::announced&) {
  return state_ == state::announcing ? go(state::recording, action::record) : actions{};
}

machine::actions machine::on(const event::recorded&) {
  taken_ = true;
  return state_ == state::recording ? go(state::settling, action::settle) : actions{};
}

machine::actions machine::on(const event::settled&) {
  return state_ == state::settling ? end(action::finish) : actions{};
}

machine::actions machine::on(const event::lost&) {
  if (state_ == state::idle) return {};
  return listed_ ? go(state::looking, action::look_anew) : go(state::collecting, action::collect_anew);
}

}  // namespace baton::queue
