#include "qmgr/instances/keeper.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/log.hpp"
#include "common/text.hpp"

namespace baton::instances {
namespace {

constexpr logger log{"QueueManager"};
using formats::qmgr_instance_state;

peer peer_of(const instance_seen& one) {
  peer made;
  made.name = one.says.name;
  made.running = one.running;
  made.what = one.says.state == qmgr_instance_state::active    ? peer::active
              : one.says.state == qmgr_instance_state::standby ? peer::standby
                                                               : peer::ended;
  made.epoch = one.says.epoch;
  made.renewals = one.says.renewals;
  made.beat = one.says.beat;
  made.permits_standby = one.says.permits_standby;
  made.end_all = one.says.end_all;
  return made;
}

}  // namespace

keeper::keeper(event_loop& loop, keeper_options options, role& process)
    : loop_(loop),
      options_(std::move(options)),
      process_(process),
      folder_(options_.data_path),
      machine_(options_.times, options_.prefers, boot_time_ms()) {}

status keeper::start() {
  auto file = instance_file::acquire(folder_, options_.prefers.own);
  if (!file) return file.error();
  file_.emplace(std::move(*file));
  auto lock = byte_lock::open(folder_.lock());
  if (!lock) return lock.error();
  lock_.emplace(std::move(*lock));
  const std::uint64_t epoch_before = [&] {
    std::uint64_t last = 0;
    for (const auto& one : folder_.read().list) {
      if (one.says.name == options_.prefers.own) last = one.says.epoch;
    }
    return last;
  }();
  self_ = this_process();
  self_.name = options_.prefers.own;
  self_.qmgr = options_.qmgr;
  self_.epoch = epoch_before;
  self_.permits_standby = options_.prefers.permits_standby;
  self_.state = qmgr_instance_state::ended;  // until it knows that it may stand by
  self_.since_ms = wall_time_ms();
  if (const status written = file_->write(self_); !written) return written;
  feed(event::tick{});
  return done();
}

// One event after the other: what an action has to tell is an event behind those that wait.
void keeper::feed(input happened) {
  pending_.push_back(std::move(happened));
  if (std::exchange(stepping_, true)) return;
  while (!pending_.empty()) {
    const input next = std::move(pending_.front());
    pending_.pop_front();
    for (const output& one : machine_.step(next, boot_time_ms())) {
      std::visit([this](const auto& what) { perform(what); }, one);
    }
  }
  stepping_ = false;
  set_timer();
}

void keeper::set_timer() {
  loop_.cancel(timer_);
  if (machine_.state() == state::stopped) return;
  timer_ = loop_.after(std::max<std::int64_t>(machine_.wake_ms() - boot_time_ms(), 0), [this] { feed(event::tick{}); });
}

bool keeper::may_leave() {
  if (store_ == nullptr) return false;
  if (!store_->fenced().empty()) {
    why_ = store_->fenced();
    feed(event::lost{});
    return false;
  }
  if (stepping_) return boot_time_ms() < machine_.deadline_ms();
  if (boot_time_ms() >= machine_.wake_ms()) feed(event::tick{});  // a loop that is busy comes late to its timers
  while (machine_.holds() && boot_time_ms() >= machine_.deadline_ms()) feed(event::late{});
  return machine_.holds();
}

void keeper::closed() {
  store_ = nullptr;
  feed(event::closed{});
}

void keeper::perform(const action::look&) {
  event::looked told;
  told.began_ms = boot_time_ms();
  seen_ = folder_.read();
  told.complete = seen_.complete;
  told.epoch = machine_.epoch();
  for (const instance_seen& one : seen_.list) {
    told.peers.push_back(peer_of(one));
    told.epoch = std::max(told.epoch, one.says.epoch);
  }
  const auto is_free = lock_->is_free(told.epoch);
  told.lock_free = is_free && *is_free;
  if (machine_.state() == state::waiting) say_role();
  feed(std::move(told));
}

bool keeper::take(std::uint64_t epoch) {
  const auto taken = lock_->take(epoch);
  return taken && *taken;
}

void keeper::perform(const action::claim& what) {
  input answer = try_claim(what);
  if (!std::holds_alternative<event::claimed>(answer)) lock_->give(what.epoch + 1);
  lock_->give(what.epoch);  // of the one before: whoever has that epoch now cannot write
  fenced_holder_ = what.fence;
  feed(std::move(answer));
}

input keeper::try_claim(const action::claim& what) {
  const std::int64_t began_ms = boot_time_ms();
  if (!what.fence && !take(what.epoch)) return event::outrun{what.epoch, what.renewals};
  const bool next = take(what.epoch + 1);
  auto opened = qmgr::store::open(folder_.store(), true);
  bool won = false;
  owner now;
  status asked = opened ? (*opened)->with_owner([&](ownership& row) {
    won = next && row.claim({what.epoch, what.renewals, ""}, self_.name);
    now = row.read();
  })
                        : status(opened.error());
  if (!asked && !next && asked.error().code == errc::in_use) return event::outrun{what.epoch, what.renewals};
  if (!asked) {
    why_ = asked.error().text;
    if (asked.error().code == errc::in_use) return event::blocked{};
    return event::failed{};
  }
  if (!won) return event::outrun{now.epoch, now.renewals};
  claimed_ = std::move(*opened);
  return event::claimed{now.epoch, began_ms};
}

// The others see at once that there is a new epoch. To serve is a task of its own: reading the store may take long, and
// the machine has to go on meanwhile.
void keeper::perform(const action::serve& what) {
  if (fenced_holder_) log(messages::BFGQM0033W, self_.name, holder(), options_.times.lease_ms);
  store_ = claimed_.get();
  self_.epoch = what.epoch;
  self_.renewals = 0;
  enter(qmgr_instance_state::active);
  loop_.post([this] { begin_serving(); });
}

void keeper::begin_serving() {
  if (claimed_ == nullptr) return;
  const auto place = process_.serve(std::move(claimed_));
  if (machine_.state() == state::stopped) return;
  if (!place) {
    why_ = place.error().text;
    return feed(event::failed{});
  }
  self_.address = place->address;
  self_.port = place->port;
  perform(action::publish{});
  log(messages::BFGQM0031I, self_.name, options_.qmgr, self_.epoch);
}

void keeper::enter(qmgr_instance_state state) {
  self_.state = state;
  self_.since_ms = wall_time_ms();
  told_.clear();
  perform(action::publish{});
}

void keeper::perform(const action::publish&) {
  if (machine_.state() == state::waiting && self_.state != qmgr_instance_state::standby) {
    self_.address.clear();
    self_.port = 0;
    return enter(qmgr_instance_state::standby);
  }
  ++self_.beat;
  if (const status written = file_->write(self_); !written) why_ = written.error().text;
}

void keeper::perform(const action::renew&) {
  const std::int64_t began_ms = boot_time_ms();
  if (store_ == nullptr) return;
  const auto held = lock_->take(self_.epoch);
  if (!held) return;  // it is not known: the deadline will tell
  owner now;
  if (!store_->with_owner([&](ownership& row) { now = row.read(); })) return;
  if (!*held || now.epoch != self_.epoch) {
    why_ = fmt::format("the store is at epoch {} of instance {}", now.epoch, now.instance);
    return feed(event::lost{});
  }
  ++self_.beat;
  if (file_->write(self_)) feed(event::renewed{began_ms});
}

void keeper::perform(const action::reclaim&) {
  const std::int64_t began_ms = boot_time_ms();
  bool ours = false;
  owner now;
  const status asked = store_->with_owner([&](ownership& row) {
    ours = take(self_.epoch) && row.reclaim();
    now = row.read();
  });
  if (asked && ours) {
    self_.renewals = now.renewals;
    ++self_.beat;
    ours = file_->write(self_).ok();
  }
  if (!asked || !ours) {
    why_ = asked ? fmt::format("the store is at epoch {} of instance {}", now.epoch, now.instance) : asked.error().text;
    return feed(event::lost{});
  }
  log(messages::BFGQM0034W, self_.name, began_ms - machine_.deadline_ms() + options_.times.lease_ms);
  feed(event::reclaimed{began_ms});
}

void keeper::perform(const action::close& what) {
  if (!what.to.empty()) log(messages::BFGQM0036I, self_.name, what.to);
  claimed_.reset();  // it had not begun
  process_.close(what.immediate);
}

void keeper::perform(const action::release& what) {
  const std::uint64_t epoch = self_.epoch;
  store_ = nullptr;
  process_.discard();
  self_.end_all = what.all;
  enter(qmgr_instance_state::ended);
  self_.end_all = false;
  lock_->give(epoch);
}

void keeper::perform(const action::end_holder&) {
  const instance_seen* other = active_of(seen_);
  if (other != nullptr && end_process_of(other->says)) log(messages::BFGQM0039W, other->says.name, other->says.pid);
}

void keeper::perform(const action::say_held_back& what) {
  log(messages::BFGQM0035I, self_.name, what.by);
}
void keeper::perform(const action::say_blocked&) {
  log(messages::BFGQM0038W, self_.name, holder(), why_);
}

void keeper::perform(const action::end& what) {
  std::string text;
  const auto say = [&](const message& m, const auto&... inserts) {
    text = render(m, inserts...);
    log(m, inserts...);
  };
  switch (what.why) {
    case reason::stopped:
      break;
    case reason::ended_with_active:
      log(messages::BFGQM0037I, self_.name, options_.qmgr);
      enter(qmgr_instance_state::ended);
      break;
    case reason::no_standby_permitted:
      say(messages::BFGQM0041E, self_.name, options_.qmgr, holder());
      enter(qmgr_instance_state::ended);
      break;
    case reason::lost:
      process_.cut();
      store_ = nullptr;
      say(messages::BFGQM0032E, self_.name, options_.qmgr, why_);
      break;
    case reason::failed:
      say(messages::BFGQM0007E, options_.qmgr, why_);
      break;
  }
  process_.ended(what.why, text);
}

std::string keeper::holder() const {
  const instance_seen* other = active_of(seen_);
  if (other == nullptr) return "an instance that cannot be read";
  return fmt::format("{} (process {} on {}, {} port {})", other->says.name, other->says.pid, other->says.host,
                     other->says.address, other->says.port);
}

// One line for each one that is seen to be active.
void keeper::say_role() {
  const instance_seen* other = active_of(seen_);
  if (other == nullptr || other->says.name == self_.name) return;
  const std::string now = fmt::format("{} {}", other->says.name, other->says.epoch);
  if (std::exchange(told_, now) == now) return;
  log(messages::BFGQM0030I, self_.name, options_.qmgr, holder());
}

}  // namespace baton::instances
