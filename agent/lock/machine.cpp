#include "agent/lock/machine.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

#include "common/backoff.hpp"

namespace baton::lock {
namespace {
constexpr std::int64_t connect_patience_ms = 60000;  // above the connection's own timeouts, which come first
constexpr std::int64_t steady_ms = 30000;            // a connection that lived this long was a good one
constexpr std::int64_t way_open_ms = 3000;  // who gave way and then was not delivered the lock for so long: others are
}  // namespace

std::string_view to_string(state s) {
  constexpr std::string_view names[] = {"disconnected", "standby",   "claiming",      "recovering",
                                        "active",       "suspended", "stepping_down", "stopped"};
  return names[static_cast<std::size_t>(s)];
}

machine::machine(limits l, std::string run, std::uint64_t seed) : limits_(l), run_(std::move(run)), random_(seed | 1) {}

std::vector<output> machine::step(const input& happened, std::int64_t now_ms) {
  now_ = now_ms;
  actions out;
  const lock::state before = state_;
  const std::uint64_t epoch_before = epoch_;
  // Time is an event too, and comes before any other: what arrives after the deadline finds the lease gone.
  if (holds() && now_ >= deadline_) suspend(out);
  if (state_ == state::claiming && now_ >= deadline_) drop(state::disconnected, out);
  if (state_ != state::stopped) std::visit([&](const auto& e) { on(e, out); }, happened);
  check(before, epoch_before, out);
  return out;
}

void machine::on(const event::start&, actions& out) {
  if (state_ == state::disconnected && !connecting_) connect(out);
}

void machine::on(const event::connected& e, actions& out) {
  if (e.of != generation_ || !connecting_) return;
  connecting_ = false;
  connected_at_ = now_;
  consumer_priority_ = e.consumer_priority;
  state_ = state::standby;
  if (refused_ > 0) out.emplace_back(action::admitted{});
  refused_ = 0;
  seed(out);
}

void machine::on(const event::refused& e, actions& out) {
  if (e.of != generation_) return;
  if (!connecting_) return on(event::lost{e.of}, out);  // the links were open for a moment
  // The first wait is short: the other one may be on its way out.
  const std::int64_t wait = refused_ == 0 ? limits_.poll_interval_ms : limits_.sleep_time_ms;
  where_ = address::same;
  if (refused_++ == 0) out.emplace_back(action::excluded{limits_.sleep_time_ms});
  close(out);
  wake_ = now_ + jitter(wait);
}

void machine::on(const event::lost& e, actions& out) {
  if (e.of != generation_ || !(connecting_ || connected())) return;
  if (state_ == state::stepping_down) return end(out);
  drop(state_ == state::suspended ? state::suspended : state::disconnected, out);
}

void machine::on(const event::delivered& e, actions& out) {
  if (e.of != generation_ || !connected()) return;
  const bool own = e.what.run == run_;
  if (own && e.what.epoch == epoch_ && holds()) return renewed(e, out);
  if (!own) look_at(e.what);
  if (holds()) {
    // Another run's epoch above ours while we are the consumer: ours is not the newest, whoever wrote it.
    if (e.what.epoch >= epoch_) return suspend(out);
    out.emplace_back(action::settle{e.id});
    return;
  }
  if (state_ == state::stepping_down) return;  // it goes back when the connection closes
  if (state_ == state::standby && gives_way()) return give_way(out);
  held_.push_back({e.id, false, 0});
  if (state_ == state::standby) return claim(out);
  if (!own || e.what.epoch != epoch_ || e.what.sequence != 0) return;
  held_.back().durable = true;
  claim_back_ = true;
  claimed(out);
}

void machine::on(const event::accepted& e, actions& out) {
  if (e.of != generation_ || e.epoch != epoch_) return;
  if (holds() && reissued_ != 0 && e.sequence == reissued_) {
    reissue_accepted_ = true;
    return reissued(out);
  }
  if (state_ == state::stepping_down && released_ && e.sequence == sequence_) return end(out);
  if (state_ != state::claiming || e.sequence != 0) return;
  claim_accepted_ = true;
  claimed(out);
}

void machine::on(const event::recovered& e, actions&) {
  if (e.of != generation_ || state_ != state::recovering) return;
  state_ = state::active;
  failures_ %= tries_of_round(limits_.addresses);
}

// The broker may have lost our newest token, or we are no longer the consumer: one round trip tells which.
void machine::on(const event::outbid& e, actions& out) {
  if (e.epoch < epoch_) return;  // answered by the epoch that we have now
  look_at({e.epoch, 0, {}, false, false});
  if (!holds() || confirm_ != 0) return;
  renew(out);
  confirm_ = sequence_;
}

void machine::on(const event::stop&, actions& out) {
  aside_ = false;
  if (state_ == state::stepping_down) return;
  if (!holds()) return end(out);
  deactivate(out);
  state_ = state::stepping_down;
  wake_ = now_ + limits_.step_down_ms;
}

// Not before it could say that no older lease is left: the next one would have to wait for that.
void machine::on(const event::step_aside& e, actions& out) {
  if (state_ != state::active || confirm_ != 0 || now_ < alone_at_) return;
  deactivate(out);
  state_ = state::stepping_down;
  aside_ = true;
  moves_ = e.moves;
  aside_ms_ = e.for_ms;
  wake_ = now_ + limits_.step_down_ms;
}

void machine::on(const event::quiet&, actions& out) {
  if (state_ != state::stepping_down || released_) return;
  // An epoch before ours may still be in its lease: the next one has to wait for that as we would have had to.
  if (now_ < alone_at_) return end(out);
  release(aside_ && moves_, out);
}

void machine::release(bool moved, actions& out) {
  released_ = true;
  out.emplace_back(action::send{{epoch_, ++sequence_, run_, true, moved}, true});
}

void machine::on(const event::tick&, actions& out) {
  if (now_ < wake_) return;
  switch (state_) {
    case state::disconnected:
    case state::suspended:
      if (connecting_) close(out);
      return connect(out);
    case state::standby:
      gave_way_ = led_ = false;
      if (now_ >= seed_at_) return seed(out);
      wake_ = seed_at_;
      return;
    case state::recovering:
    case state::active:
      return renew(out);
    case state::stepping_down:
      return end(out);
    case state::claiming:
    case state::stopped:
      return;
  }
}

void machine::connect(actions& out) {
  connecting_ = true;
  wake_ = now_ + connect_patience_ms;
  out.emplace_back(action::connect{generation_, std::exchange(where_, address::next)});
}

// Whatever of this generation is still on its way is not listened to from now on.
void machine::close(actions& out) {
  ++generation_;
  connecting_ = claim_accepted_ = claim_back_ = false;
  held_.clear();
  under_way_.clear();
  out.emplace_back(action::disconnect{});
}

void machine::drop(lock::state next, actions& out) {
  if (holds()) deactivate(out);
  if (connected() && now_ - connected_at_ >= steady_ms) failures_ = 0;
  // Who suspends has missed its own deadline, which need not be the queue manager's fault.
  where_ = next == state::suspended && !connecting_ ? address::same : address::next;
  close(out);
  state_ = next;
  const std::int64_t wait =
      round_wait_ms(limits_.reconnect_first_ms, failures_++, limits_.reconnect_max_ms, limits_.addresses);
  // The active one knows the transfers.
  wake_ = now_ + std::max<std::int64_t>(jitter(wait), led_ ? 1 : std::max<std::int64_t>(limits_.follow_ms, 1));
}

// Whoever the lock is left to is the next one, so this instance comes back as one that has given way already.
void machine::end(actions& out) {
  if (connecting_ || connected()) close(out);
  released_ = false;
  if (std::exchange(aside_, false)) {
    state_ = state::disconnected;
    gave_way_ = true;
    led_ = false;
    where_ = moves_ ? address::first : address::same;
    wake_ = now_ + std::max<std::int64_t>(aside_ms_, 1);
    return;
  }
  state_ = state::stopped;
  wake_ = std::numeric_limits<std::int64_t>::max();
}

void machine::suspend(actions& out) {
  drop(state::suspended, out);
}

void machine::deactivate(actions& out) {
  deadline_ = 0;
  confirm_ = reissued_ = 0;
  reissue_accepted_ = reissue_back_ = false;
  released_ = false;
  out.emplace_back(action::deactivate{});
}

void machine::seed(actions& out) {
  out.emplace_back(action::send{{0, 0, run_, false, false}, true});
  wake_ = seed_at_ = now_ + jitter(limits_.seed_interval_ms);
  if (gave_way_ || led_) wake_ = std::min(wake_, now_ + way_open_ms);
}

// Others that are preferred may be attached behind this one, or about to attach.
bool machine::gives_way() const {
  if (gave_way_ || limits_.hang_back_ms == 0) return false;
  return !consumer_priority_ || now_ - connected_at_ < limits_.hang_back_ms;
}

void machine::give_way(actions& out) {
  close(out);
  gave_way_ = true;
  state_ = state::disconnected;
  where_ = address::same;
  wake_ = now_ + limits_.hang_back_ms;
}

void machine::look_at(const token& t) {
  seen_ = std::max(seen_, t.epoch);
  if (std::pair{t.epoch, t.sequence} >= std::pair{newest_.epoch, newest_.sequence}) newest_ = t;
}

void machine::claim(actions& out) {
  state_ = state::claiming;
  seen_ = epoch_ = std::max(seen_, epoch_) + 1;
  sequence_ = 0;
  claim_accepted_ = claim_back_ = false;
  for (held& h : held_) h.durable = false;
  under_way_.clear();
  deadline_ = wake_ = now_ + limits_.lease_ms;
  out.emplace_back(action::send{{epoch_, 0, run_, false, false}, true});
}

// Taken by the broker and delivered back: won, unless another run was seen to claim as high meanwhile.
void machine::claimed(actions& out) {
  if (!claim_accepted_ || !claim_back_) return;
  if (newest_.epoch >= epoch_) return claim(out);
  // The one before has gone to the first queue manager of the list: so does this one, and leaves word for others. Comes
  // it back here, then the first one is down.
  if (newest_.moved && !gave_way_) {
    state_ = state::stepping_down;
    aside_ = moves_ = true;
    aside_ms_ = limits_.follow_ms;
    wake_ = now_ + limits_.step_down_ms;
    return release(true, out);
  }
  gave_way_ = false;
  led_ = true;
  state_ = state::recovering;
  for (const held& h : held_) {
    if (!h.durable) out.emplace_back(action::settle{h.id});
  }
  std::erase_if(held_, [](const held& h) { return !h.durable; });
  alone_at_ = newest_.released ? now_ : now_ + limits_.lease_ms;
  reissue_at_ = now_ + limits_.reissue_interval_ms;
  // Counted from the claim like the lease is: one that was slow to come back must be renewed before it is over.
  wake_ = std::clamp(deadline_ - limits_.lease_ms + limits_.renew_interval_ms, now_, deadline_);
  out.emplace_back(action::activate{epoch_, newest_.released});
}

void machine::renew(actions& out) {
  const bool durable = now_ >= reissue_at_ && reissued_ == 0;
  under_way_[++sequence_] = now_;
  if (durable) reissued_ = sequence_;
  if (durable) reissue_at_ = now_ + limits_.reissue_interval_ms;
  wake_ = std::min(now_ + jitter(limits_.renew_interval_ms), deadline_);
  out.emplace_back(action::send{{epoch_, sequence_, run_, false, false}, durable});
  // What this one supersedes goes along with it: the driver can write both at once. A durable token always stays
  // underneath: it survives the broker.
  for (const held& h : held_) {
    if (!h.durable) out.emplace_back(action::settle{h.id});
  }
  std::erase_if(held_, [](const held& h) { return !h.durable; });
}

// The round trip proves that this instance was the consumer after the time at which the token was sent.
void machine::renewed(const event::delivered& e, actions& out) {
  const auto sent = under_way_.find(e.what.sequence);
  if (sent == under_way_.end()) {
    out.emplace_back(action::settle{e.id});
    return;
  }
  deadline_ = sent->second + limits_.lease_ms;
  under_way_.erase(under_way_.begin(), std::next(sent));
  const bool durable = reissued_ != 0 && reissued_ == e.what.sequence;
  held_.push_back({e.id, durable, e.what.sequence});
  if (durable) reissue_back_ = true;
  reissued(out);
  if (confirm_ == 0 || e.what.sequence < confirm_) return;
  deactivate(out);
  claim(out);
}

// Delivered back is not yet on the broker's disk: the durable token before it goes when the broker has accepted it,
// too.
void machine::reissued(actions& out) {
  if (!reissue_accepted_ || !reissue_back_) return;
  const auto older = [&](const held& h) { return h.durable && h.sequence < reissued_; };
  for (const held& h : held_) {
    if (older(h)) out.emplace_back(action::settle{h.id});
  }
  std::erase_if(held_, older);
  reissued_ = 0;
  reissue_accepted_ = reissue_back_ = false;
}

// Between 90 and 100 %.
std::int64_t machine::jitter(std::int64_t ms) {
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return ms - static_cast<std::int64_t>(random_ % static_cast<std::uint64_t>(ms / 10 + 1));
}

void machine::check(lock::state before, std::uint64_t epoch_before, [[maybe_unused]] const actions& out) const {
  const auto open = [](lock::state s) { return s == state::recovering || s == state::active; };
  [[maybe_unused]] const bool left = open(before) && (!open(state_) || epoch_ != epoch_before);
  assert(!holds() || (!connecting_ && deadline_ > now_));       // 1
  assert(!holds() || (claim_accepted_ && claim_back_));         // 2
  assert(!holds() || confirm_ != 0 || epoch_ > newest_.epoch);  // 3
  assert(!left || std::any_of(out.begin(), out.end(),
                              [](const output& o) { return std::holds_alternative<action::deactivate>(o); }));  // 4
  assert(before != state::suspended || state_ == state::suspended || state_ == state::standby ||
         state_ == state::stopped);                                                       // 5
  assert(state_ == state::stopped || wake_ != std::numeric_limits<std::int64_t>::max());  // 6
}

}  // namespace baton::lock
