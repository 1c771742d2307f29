// The subscription of one queue, for all tasks of an agent that read it: one connection, one link, one task at a time,
// the others wait for their turn. When somebody else has the queue exclusively that is said once, and it is tried again
// after consumerSleepTime; when the queue manager is away, in growing steps. Loop thread.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/queue/journal.hpp"
#include "common/amqp/connection.hpp"
#include "common/loop.hpp"
#include "common/worker_pool.hpp"

namespace baton::queue {

struct subscriber_options {
  std::string queue;
  bool exclusive = false;     // nobody else may read meanwhile
  std::string journal_queue;  // with exclusive: what readers leave for each other
  std::string agent;          // that reads
  std::string mark_queue;     // takes a note whose acceptance shows that what was settled before it counts
  std::int64_t sleep_ms = 30000, retry_ms = 30000;  // consumerSleepTime; the longest wait for a queue manager
};

class subscriber : public amqp::connection_events {
 public:
  // What a task hears while it is its turn.
  struct task {
    std::function<void()> begun;  // the queue is attached: credit may be granted
    std::function<void(amqp::delivery_id, amqp::message&&)> received;
    std::function<void()> drained;              // no credit is left
    std::function<void()> lost;                 // what it held is on the queue again; begun() follows
    std::function<void(const error&)> refused;  // for good: there is no such queue, or it may not be read
  };
  using locator = std::function<amqp::connection_options()>;

  subscriber(event_loop& loop, worker_pool& pool, locator where, subscriber_options options);
  ~subscriber() override;
  const subscriber_options& options() const { return options_; }

  int join(task one);
  // Its turn is over, or it does not wait any more; what it held and did not settle goes back to its place.
  void leave(int who);
  bool idle() const { return tasks_.empty(); }

  // For the task whose turn it is.
  void add_credit(std::uint32_t count) { connection_->add_credit(link_, count); }
  // Whether the queue manager can say that a queue is empty; and asks it, one at a time: drained() follows.
  bool can_drain() const { return can_drain_; }
  void drain() { connection_->drain(link_); }
  // Tells other readers that this transfer takes the messages that begin with `first` (see intake) off the queue;
  // `then` when they will know, and never when lost() comes before.
  void announce(const std::string& transfer_id, const std::string& first, std::function<void()> then);
  // Another reader has taken the messages that this transfer had announced.
  bool is_overtaken(const std::string& transfer_id) const { return journal_ && journal_->is_overtaken(transfer_id); }
  // Takes messages off the queue; `then` when that is certain, and never when lost() comes before.
  void settle(const std::vector<amqp::delivery_id>& deliveries, std::function<void()> then);

 private:
  void serve();
  void attach();
  void drop();
  void try_again_in(std::int64_t delay_ms);
  void connection_lost(const error& why) override;
  void link_opened(amqp::link_id link, const std::string& address) override;
  void link_lost(amqp::link_id link, const error& why) override;
  void drained(amqp::link_id link) override;
  void received(amqp::link_id link, amqp::delivery_id delivery, amqp::message&& content) override;
  void sent(amqp::send_id id, amqp::outcome how) override;
  void settled(std::function<void()> then);
  void forget_settlements();
  void tell_lost();
  void begin();
  void make_journal();

  event_loop& loop_;
  worker_pool& pool_;
  const locator where_;
  const subscriber_options options_;
  std::unique_ptr<amqp::connection> connection_;
  amqp::link_id link_ = 0, marks_ = 0;
  std::deque<std::pair<int, task>> tasks_;  // the first one's turn
  int last_task_ = 0;
  bool attached_ = false, told_excluded_ = false, can_drain_ = false;
  std::int64_t settlement_lag_ms_ = 0;
  std::string told_;  // the last trouble in the log
  std::map<amqp::send_id, std::function<void()>> certain_;
  event_loop::timer_id certain_timer_ = 0;
  std::optional<journal> journal_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for what workers bring back
  int own_end_ = 0;   // attempts for which the link that this one has just ended may still be in the way
  int failures_ = 0;  // of connections, since the queue was attached
  event_loop::timer_id timer_ = 0;
};

}  // namespace baton::queue
