// An instance's links to its queue manager: one connection for the lock and for control (COMMAND, REPLY, STATE), one
// for DATA, so that bulk never delays a renewal. One object is one generation: when anything breaks, all of it is
// dropped and a new one is made. First only the lock is attached; the agent's queues are opened when it is held. Loop
// thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/send_watch.hpp"
#include "common/amqp/connection.hpp"

namespace baton::agent {

enum class inbound { lock, command, reply, state, data };

struct links_options {
  std::string agent, run;         // run: random id of this process start
  std::uint32_t data_credit = 1;  // frames that may be under way
  bool with_lock = false;         // attach to the HA queue
  int priority = 0;               // of this instance among those that wait for the lock
  bool probe = false;             // the queue manager lets a second consumer of a queue wait instead of refusing it
  std::int64_t patience_ms = 0;   // with a queue manager that does not answer for a message
};

class links {
 public:
  struct handlers {
    std::function<void()> connected;                       // and attached to the HA queue
    std::function<void()> opened;                          // the agent's queues are held
    std::function<void(const std::string& queue)> in_use;  // another process has it; see open_queues
    std::function<void()> lock_refused;  // another instance has the HA queue, and the queue manager does not let wait
    std::function<void(const error& why)> lost;  // once, the last call
    std::function<void(inbound from, amqp::delivery_id delivery, amqp::message&& content)> received;
    std::function<void(const std::string& address, const error& why)> unreachable;  // a queue that is sent to
    // The queue manager is connected and refuses a message, or has not answered for one in time; again and again.
    std::function<void(const std::string& queue, bool refused)> not_taken;
    std::function<void(const std::string& queue)> taken;  // each message that it has accepted
  };

  links(event_loop& loop, const amqp::connection_options& where, links_options options, handlers to);
  ~links();

  // Takes the agent's queues, from an owner with a lower epoch where the queue manager can do that; 0: not from one.
  // After in_use() it may be called again.
  void open_queues(std::uint64_t epoch);
  // The agent's queues are free for another instance, while this one may keep the lock.
  void close_queues();
  // After opened(), when all of STATE is known: from now on messages from COMMAND are received.
  void take_commands();
  // Sends on the control connection; `settled` hears what became of it, and nothing when the generation ends before.
  void send(const std::string& address, amqp::message content, std::function<void(amqp::outcome)> settled = nullptr);
  void send_data(const std::string& address, amqp::message content);
  // Not for DATA, whose messages are settled when they come. A settled delivery makes room for another one, except on
  // STATE, where most stay unsettled: there room is made by add_state_credit().
  void settle(inbound from, amqp::delivery_id delivery, amqp::outcome how);
  // A message of COMMAND that stays on the queue: another one may come all the same.
  void make_room(amqp::delivery_id command);
  // How long the queue manager tolerates this instance's silence; 0: not known. Once connected.
  std::int64_t dropped_after_ms() const;
  void add_state_credit();
  void close();

 private:
  class side;  // one of the two connections
  struct early {
    amqp::delivery_id delivery = 0;
    amqp::message content;
  };
  void opened(inbound which);
  void refused(inbound which, const error& why);
  void received(inbound from, amqp::delivery_id delivery, amqp::message&& content);
  void command_is_ours();
  void send_probe();
  amqp::connection_options for_data() const;
  void give_up_queues(inbound which);
  void broke(const error& why);
  void watch();
  void answered(amqp::send_id id, amqp::outcome how);
  std::string queue_of(inbound which) const;
  bool is_own(const std::string& queue) const;

  event_loop& loop_;
  const amqp::connection_options where_;
  const links_options options_;
  const handlers to_;
  std::unique_ptr<side> control_, data_;
  bool command_ours_ = false, ready_ = false, over_ = false;
  std::uint64_t epoch_ = 0;   // of who takes the queues
  int open_ = 0;              // of REPLY, STATE and DATA
  std::vector<early> early_;  // commands that came before take_commands()
  event_loop::timer_id probe_timer_ = 0, watch_timer_ = 0;
  send_watch under_way_;
};

}  // namespace baton::agent
