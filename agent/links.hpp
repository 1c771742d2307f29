// The agent's links to its queue manager: one connection for control (COMMAND, REPLY, STATE), one for DATA, so that
// bulk never delays control. One object is one generation: when anything breaks, all of it is dropped and a new one is
// made. Loop thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "common/amqp/connection.hpp"

namespace baton::agent {

enum class inbound { command, reply, state, data };

class links {
 public:
  struct handlers {
    std::function<void()> ready;                 // all four queues are held
    std::function<void(const error& why)> lost;  // once, the last call
    std::function<void(inbound from, amqp::delivery_id delivery, amqp::message&& content)> received;
    std::function<void(const std::string& address, const error& why)> unreachable;  // a queue that is sent to
  };

  // Connects and takes the queues of the agent. data_credit: frames that may be under way.
  links(event_loop& loop, const amqp::connection_options& options, const std::string& agent, std::uint32_t data_credit,
        handlers to);
  ~links();

  // Sends on the control connection; `settled` hears what became of it, and nothing when the generation ends before.
  void send(const std::string& address, amqp::message content, std::function<void(amqp::outcome)> settled = nullptr);
  void send_data(const std::string& address, amqp::message content);
  // A settled delivery makes room for another one, except on STATE, where most stay unsettled: there room is made by
  // add_state_credit().
  void settle(inbound from, amqp::delivery_id delivery, amqp::outcome how);
  void add_state_credit();
  void close();

 private:
  class side;  // one of the two connections
  void opened();
  void broke(const error& why);

  const handlers to_;
  std::unique_ptr<side> control_, data_;
  int open_ = 0;
  bool over_ = false;
};

}  // namespace baton::agent
