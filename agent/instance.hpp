// This process as one instance of its agent: the connection to the queue manager, the lock, and the way back after a
// loss, which always starts at the lock. It tells the agent when it may run and when it may not any more. Loop thread,
// but for lease_holds().
//
// A highly available instance keeps the lock for as long as it is active. One that is not gets it once, for its epoch,
// and gives it back: the lock then only tells whether a highly available instance is active, and the exclusive COMMAND
// queue keeps two that are not apart.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/links.hpp"
#include "agent/lock/keeper.hpp"
#include "agent/not_taken_notice.hpp"
#include "agent/remembered_epoch.hpp"
#include "agent/settings.hpp"
#include "common/amqp/qmgr_choice.hpp"
#include "common/worker_pool.hpp"

namespace baton::agent {

class instance {
 public:
  enum class role { starting, standby, active, stopped };
  // The queue managers in the order of the list; reads files; called on a worker.
  using locator = std::function<result<std::vector<amqp::connection_options>>()>;

  struct handlers {
    // The agent's queues are about to be opened: make what lives as long as the activation. `unfenced_from_ms` (boot
    // clock): before that nothing is done that receivers cannot fence, for the instance before this one may not know
    // yet.
    std::function<void(links& through, std::int64_t unfenced_from_ms)> activated;
    std::function<void()> opened;       // they are open: read what is on STATE, and call state_read()
    std::function<void()> ready;        // the agent runs
    std::function<void()> deactivated;  // drop it all; the links are gone
    std::function<void(inbound from, amqp::delivery_id delivery, amqp::message&& content)> received;
    std::function<void(const std::string& address, const error& why)> unreachable;
    std::function<void(role now)> role_changed;
    std::function<void(const std::string& host, int port)> found_qmgr;
    std::function<void(int exit_code)> ended;  // the last call
  };
  // `s` must outlive this.
  instance(event_loop& loop, worker_pool& pool, const settings& s, locator where, handlers to);
  ~instance();

  void start();
  // Gives the lock back when the work that was cancelled has ended; then ended(exit_code).
  void stop(int exit_code);
  // After opened(): requests may be taken now.
  void state_read();
  // Of the active instance: gives the lock back, in order, and stands by after so long; with `moves` at the first queue
  // manager of the list. Nothing happens when this is not the moment.
  void step_aside(std::int64_t for_ms, bool moves);
  // Another instance has told its epoch: one of this instance has to be higher, also where the lock's queue is another.
  void heard_of(std::uint64_t epoch);
  // Connected to a queue manager that is not the first of the list, and one may go back to that.
  bool away() const { return choice_.away(); }
  // The queue manager is another one than that where STATE was read last in this process, shares no state with it, and
  // no other instance is known to have been active since. Once activated.
  bool elsewhere() const { return elsewhere_; }
  // step_aside() would be heeded.
  bool may_step_aside() const;
  const amqp::connection_options& first_qmgr() const { return first_; }
  // A peer refused this instance, having seen this epoch of the agent.
  void outbid(std::uint64_t epoch);

  role current() const { return role_; }
  std::uint64_t epoch() const { return epoch_; }
  const std::string& run() const { return run_; }
  bool lease_holds() const { return !settings_.highly_available || keeper_->lease_holds(); }
  // The token of the instance that was active before; epoch 0: none is known.
  const formats::lock_token& predecessor() const { return keeper_->predecessor(); }
  // From being delivered the lock to having the agent's queues, the last time.
  std::int64_t takeover_ms() const { return takeover_ms_; }
  // While there is a connection: for messages to the active instance.
  void send(const std::string& address, amqp::message content, std::function<void()> settled) {
    if (!links_) return;
    links_->send(address, std::move(content), [settled = std::move(settled)](amqp::outcome) {
      if (settled) settled();
    });
  }
  const amqp::connection_options& qmgr() const { return found_; }

 private:
  void make_keeper();
  void locate(lock::generation of, lock::address where);
  void go_on_without_lock();
  void open(lock::generation of, bool with_lock);
  void connected(lock::generation of);
  void drop_links();
  void dropped(lock::generation of, const error& why);
  void say_lost(const error& why, bool was_ready, std::int64_t delay_ms);
  void declare_queues(lock::generation of);
  void not_taken(const std::string& queue, bool refused);
  void taken(const std::string& queue);
  std::int64_t patience_ms() const;
  void send_token(lock::generation of, const formats::lock_token& token, bool durable);
  void token_delivered(lock::generation of, amqp::delivery_id delivery, const amqp::message& content);
  void activate(std::uint64_t epoch, bool clean);
  void open_queues();
  void deactivate();
  void lock_changed(lock::state from, lock::state to);
  void stand_by();
  void wait_for_quiet();
  void in_use(const std::string& queue);
  void set_role(role now);
  void expect_recovery();
  void finish(int exit_code);

  event_loop& loop_;
  worker_pool& pool_;
  const settings& settings_;
  const locator where_;
  const handlers to_;
  const std::string run_;
  std::unique_ptr<lock::keeper> keeper_;
  std::unique_ptr<links> links_;
  lock::generation links_of_ = 0;
  amqp::connection_options found_, first_;
  amqp::qmgr_choice choice_;
  amqp::endpoint active_at_, told_at_;  // where STATE was read last; what the log named last
  bool elsewhere_ = false;
  remembered_epoch known_epoch_;
  role role_ = role::starting;
  std::uint64_t epoch_ = 0;
  std::int64_t unfenced_from_ms_ = 0;
  std::int64_t claimed_at_ms_ = 0, takeover_ms_ = 0;
  bool active_ = false;      // between activated() and deactivated()
  bool epoch_only_ = false;  // not highly available: the lock has been given back, the links are without it
  bool told_ = false;        // of a loss, until there is a connection again
  not_taken_notice not_taken_;
  int exit_code_ = -1;  // stopping when not -1
  int in_use_ = 0;
  event_loop::timer_id timer_ = 0, quiet_timer_ = 0, recovery_timer_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

const char* to_string(instance::role role);  // "starting", ...

}  // namespace baton::agent
