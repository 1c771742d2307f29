#include "qmgr/instances/machine.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace baton::instances {

std::string_view to_string(state s) {
  constexpr std::string_view words[] = {"waiting", "claiming", "active", "closing", "stopped"};
  return words[static_cast<std::size_t>(s)];
}

machine::machine(limits l, preference p, std::int64_t now_ms)
    : limits_(l),
      preference_(std::move(p)),
      now_(now_ms),
      wake_(now_ms),
      renew_at_(now_ms),
      holder_silent_since_(now_ms) {}

std::vector<output> machine::step(const input& happened, std::int64_t now_ms) {
  actions out;
  if (state_ == state::stopped) return out;
  const instances::state before = state_;
  const std::uint64_t epoch_before = epoch_;
  now_ = std::max(now_, now_ms);
  std::visit([&](const auto& e) { on(e, out); }, happened);
  check(before, epoch_before);
  return out;
}

void machine::on(const event::tick&, actions& out) {
  if (now_ < wake_) return;
  if (now_ >= renew_at_) {
    if (holds())
      now_ < deadline_ ? out.emplace_back(action::renew{}) : out.emplace_back(action::reclaim{});
    else if (stands_by_)
      out.emplace_back(action::publish{});
    renew_at_ = now_ + limits_.renew_ms;
    out.emplace_back(action::look{});
  } else if (state_ == state::waiting) {
    out.emplace_back(action::look{});
  }
  wake_ = holds() ? renew_at_ : now_ + std::min(limits_.look_ms, limits_.renew_ms);
}

void machine::on(const event::looked& e, actions& out) {
  watch(e);
  if (state_ == state::waiting) {
    watch_holder(e);
    wait_or_claim(e, out);
    if (state_ == state::waiting && !std::exchange(stands_by_, true)) out.emplace_back(action::publish{});
  } else if (state_ == state::active) {
    give_back(out);
  }
}

void machine::watch(const event::looked& e) {
  std::map<std::string, watched> seen;
  for (const peer& one : e.peers) {
    if (one.name == preference_.own) continue;
    const auto known = peers_.find(one.name);
    watched next = known != peers_.end() ? known->second : watched{};
    const bool is_new = known == peers_.end();
    const bool was_well = !is_new && is_well(next);
    if (is_new || one.beat != next.beat || one.epoch != next.epoch) next.changed_at = now_;
    next.epoch = one.epoch;
    next.beat = one.beat;
    next.running = one.running;
    next.standby = one.what == peer::standby;
    if (!was_well) next.well_since = now_;
    seen[one.name] = next;
  }
  peers_ = std::move(seen);
}

// How long its holder has been silent is measured here, so no clock of another host is needed: from when its newest
// word was looked at first to when the look began that found nothing newer. Either may come late, also because this
// instance was stopped itself; then it seems silent for a shorter time than it is.
void machine::watch_holder(const event::looked& e) {
  if (e.epoch > epoch_) {
    epoch_ = e.epoch;
    holder_renewals_ = holder_beat_ = 0;
    holder_silent_since_ = now_;
    holder_seen_active_ = told_held_back_ = told_blocked_ = false;
    open_since_.reset();
  }
  for (const peer& one : e.peers) {
    if (one.epoch != epoch_ || epoch_ == 0) continue;
    if (one.renewals > holder_renewals_ || one.beat != holder_beat_) holder_silent_since_ = now_;
    holder_renewals_ = std::max(holder_renewals_, one.renewals);  // the store may know of more
    holder_beat_ = one.beat;
  }
  if (!e.complete) holder_silent_since_ = now_;  // the one that cannot be read may be the holder
}

void machine::wait_or_claim(const event::looked& e, actions& out) {
  for (const peer& one : e.peers) {
    if (one.epoch != epoch_ || epoch_ == 0 || one.name == preference_.own) continue;
    if (one.what == peer::ended && one.end_all && holder_seen_active_) return finish(reason::ended_with_active, out);
    if (one.what != peer::active || !one.running) continue;
    holder_seen_active_ = true;
    if (!e.lock_free && !(one.permits_standby && preference_.permits_standby))
      return finish(reason::no_standby_permitted, out);
  }
  const bool silent = epoch_ > 0 && e.began_ms - holder_silent_since_ >= limits_.lease_ms;
  if (!e.lock_free && !silent) return open_since_.reset();
  if (!open_since_) open_since_ = now_;
  const std::int64_t hold_ms = handed_over_ == epoch_ && epoch_ > 0 ? limits_.hand_over_ms : limits_.hold_ms;
  const std::string better = more_preferred(0);
  if (!better.empty() && now_ - *open_since_ < hold_ms) {
    if (!std::exchange(told_held_back_, true)) out.emplace_back(action::say_held_back{better});
    return;
  }
  fencing_ = !e.lock_free;
  state_ = state::claiming;
  out.emplace_back(action::claim{epoch_, holder_renewals_, fencing_});
}

void machine::on(const event::claimed& e, actions& out) {
  if (state_ != state::claiming) return;
  state_ = state::active;
  epoch_ = e.epoch;
  deadline_ = e.began_ms + limits_.lease_ms;
  renew_at_ = wake_ = now_ + limits_.renew_ms;
  open_since_.reset();
  handed_over_ = 0;
  out.emplace_back(action::serve{epoch_});
}

void machine::on(const event::outrun& e, actions&) {
  if (state_ != state::claiming) return;
  state_ = state::waiting;
  // Who holds it is alive, or somebody else is at it: a lease has to pass again.
  if (e.epoch > epoch_) {
    epoch_ = e.epoch;
    holder_renewals_ = 0;
    holder_seen_active_ = told_held_back_ = told_blocked_ = false;
  }
  if (e.epoch == epoch_) holder_renewals_ = std::max(holder_renewals_, e.renewals);
  holder_silent_since_ = now_;
  open_since_.reset();
}

void machine::on(const event::blocked&, actions& out) {
  if (state_ != state::claiming) return;
  state_ = state::waiting;
  if (std::exchange(told_blocked_, true)) return;
  out.emplace_back(action::say_blocked{});
  // It was silent for a lease and is in the way of everybody: where its process can be reached, it is ended.
  if (fencing_) out.emplace_back(action::end_holder{});
}

// One that began when the lease was over proves nothing: another one may have waited it out, and be about to claim.
void machine::on(const event::renewed& e, actions&) {
  if (holds() && e.began_ms < deadline_) deadline_ = std::max(deadline_, e.began_ms + limits_.lease_ms);
}

void machine::on(const event::reclaimed& e, actions&) {
  if (holds()) deadline_ = std::max(deadline_, e.began_ms + limits_.lease_ms);
}

void machine::on(const event::lost&, actions& out) {
  if (holds()) finish(reason::lost, out);
}

void machine::on(const event::late&, actions& out) {
  if (holds()) out.emplace_back(action::reclaim{});
}

void machine::on(const event::failed&, actions& out) {
  if (holds()) out.emplace_back(action::release{});
  finish(reason::failed, out);
}

void machine::on(const event::stop& e, actions& out) {
  end_all_ = end_all_ || e.all;
  if (state_ == state::active) {
    state_ = state::closing;
    out.emplace_back(action::close{e.immediate, ""});
  } else if (state_ == state::closing) {
    return_to_waiting_ = false;
    if (e.immediate) out.emplace_back(action::close{true, ""});
  } else {
    out.emplace_back(action::release{});
    finish(reason::stopped, out);
  }
}

// With fail back: to the most preferred one that has stood by for long enough.
void machine::give_back(actions& out) {
  if (!preference_.fail_back) return;
  const std::string better = more_preferred(limits_.fail_back_delay_ms);
  if (better.empty()) return;
  state_ = state::closing;
  return_to_waiting_ = true;
  out.emplace_back(action::close{false, better});
}

void machine::on(const event::closed&, actions& out) {
  if (state_ != state::closing) return;
  out.emplace_back(action::release{end_all_ && !return_to_waiting_});
  if (!return_to_waiting_) return finish(reason::stopped, out);
  state_ = state::waiting;
  handed_over_ = epoch_;
  return_to_waiting_ = holder_seen_active_ = told_held_back_ = told_blocked_ = false;
  holder_silent_since_ = wake_ = renew_at_ = now_;
  open_since_.reset();
}

void machine::finish(reason why, actions& out) {
  state_ = state::stopped;
  out.emplace_back(action::end{why});
}

std::size_t machine::rank(const std::string& name) const {
  const auto& list = preference_.preferred;
  return static_cast<std::size_t>(std::find(list.begin(), list.end(), name) - list.begin());
}

bool machine::is_well(const watched& one) const {
  return one.running && one.standby && now_ - one.changed_at < limits_.lease_ms;
}

// The most preferred of those that stand by and are preferred to this one; empty: there is none.
std::string machine::more_preferred(std::int64_t well_for_ms) const {
  std::string best = preference_.own;
  for (const auto& [name, one] : peers_) {
    if (rank(name) < rank(best) && is_well(one) && now_ - one.well_since >= well_for_ms) best = name;
  }
  return best == preference_.own ? "" : best;
}

void machine::check([[maybe_unused]] instances::state before, [[maybe_unused]] std::uint64_t epoch_before) const {
  assert(epoch_ >= epoch_before);
  assert(state_ != state::active || before == state::active || (before == state::claiming && epoch_ > epoch_before));
  assert(state_ != state::claiming || before == state::waiting || before == state::claiming);
  assert(state_ == state::stopped || wake_ <= now_ + limits_.renew_ms);
}

}  // namespace baton::instances
