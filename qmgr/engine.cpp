#include "qmgr/engine.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/log.hpp"

namespace baton::qmgr {
namespace {

constexpr logger log{"QueueManager"};
constexpr std::int64_t expiry_interval_ms = 100;  // how late an expired message may be found when nobody consumes

}  // namespace

engine::engine(event_loop& loop, broker& core, store& disk, management& manager,
               std::function<void(action_lists)> leave, std::function<bool()> may_leave)
    : loop_(loop),
      core_(core),
      disk_(disk),
      manager_(manager),
      leave_(std::move(leave)),
      may_leave_(std::move(may_leave)) {}

void engine::submit(std::vector<event>&& happened) {
  {
    const std::lock_guard lock(mutex_);
    if (pending_.empty()) {
      pending_ = std::move(happened);
    } else {
      std::move(happened.begin(), happened.end(), std::back_inserter(pending_));
    }
    if (std::exchange(turn_posted_, true)) return;
  }
  loop_.post([this, alive = std::weak_ptr(alive_)] {  // outside of the lock: the turn begins with it
    if (!alive.expired()) turn();
  });
}

status engine::recover() {
  std::size_t messages = 0, queues = 0;
  const status loaded = disk_.load(
      [&](std::uint64_t id, const std::string& name, const queue_attributes& attributes) {
        core_.restore_queue(id, name, attributes);
        ++queues;
      },
      [&](const stored_message& message) {
        core_.restore_message(message);
        ++messages;
        constexpr std::size_t between = 4096;
        if (may_leave_ && messages % between == 0) may_leave_();
      });
  core_.restored();
  if (loaded.ok()) log(messages::BFGQM0002I, messages, queues);
  return loaded;
}

void engine::turn() {
  std::vector<event> happened;
  {
    const std::lock_guard lock(mutex_);
    happened.swap(pending_);
    turn_posted_ = false;
  }
  const std::int64_t now = wall_time_ms();
  for (event& one : happened) core_.handle(std::move(one), now);
  commit();
  answer_requests(now);
  core_.dispatch(now);
  action_lists decided = with_bodies(core_.take_actions());  // before a body that goes out settled is deleted
  commit();                                                  // what was dead-lettered, has expired or went out settled
  if (may_leave_ && !may_leave_()) return;
  leave_(std::move(decided));
  leave_(core_.take_actions());  // links that a body that cannot be read has ended
  watch_expiry();
}

void engine::commit() {
  if (!core_.has_changes()) return core_.committed();
  store_changes changes = core_.take_changes();
  const status outcome = disk_.commit(changes);
  report(outcome);
  if (outcome.ok()) return core_.committed();
  const bool full = outcome.error().code == errc::no_space;
  core_.refused(std::move(changes),
                {full ? "amqp:resource-limit-exceeded" : "amqp:internal-error", "the message could not be stored"});
}

// One line when the store begins to fail and one when it works again, not one for every turn.
void engine::report(const status& outcome) {
  if (!disk_.fenced().empty()) return;  // that is said when nothing may leave
  if (!outcome.ok() && !store_failing_) log(messages::BFGQM0020E, outcome.error().text);
  if (outcome.ok() && store_failing_) log(messages::BFGQM0021I);
  store_failing_ = !outcome.ok();
}

void engine::answer_requests(std::int64_t now_ms) {
  for (const message_arrived& arrived : core_.take_requests()) {
    management_request request;
    const status read = read_request(arrived.body->view(), request);
    const management_reply reply =
        read.ok() ? manager_.answer(request, now_ms) : management_reply{400, read.error().text, "{}"};
    if (request.reply_to.empty()) continue;
    message_arrived answer;
    answer.body = write_reply(request, reply);
    answer.head = read_header(answer.body->view()).value_or(parsed_header{});
    core_.publish(request.reply_to, std::move(answer), now_ms);
  }
}

// Bodies that are only in the store are read now, when they are about to leave.
action_lists engine::with_bodies(action_lists actions) {
  for (auto& [connection, list] : actions) {
    for (action& one : list) {
      auto* delivery = std::get_if<deliver>(&one);
      if (delivery == nullptr || delivery->body != nullptr) continue;
      auto body = disk_.read_body(delivery->sequence);
      if (body.ok()) {
        delivery->body = std::move(*body);
        continue;
      }
      log(messages::BFGQM0022E, delivery->sequence, body.error().text);
      core_.body_unreadable(delivery->link, delivery->sequence);
    }
    std::erase_if(list, [](const action& one) {
      const auto* delivery = std::get_if<deliver>(&one);
      return delivery != nullptr && delivery->body == nullptr;
    });
  }
  return actions;
}

void engine::watch_expiry() {
  if (expiry_watched_ || !core_.watches_expiry()) return;
  expiry_watched_ = true;
  loop_.after(expiry_interval_ms, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;  // of several instances this one has given the store away
    expiry_watched_ = false;
    core_.expire_all(wall_time_ms());
    turn();
  });
}

}  // namespace baton::qmgr
