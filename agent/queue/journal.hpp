// The journal of a queue that is read exclusively, as who has the queue reads and writes it: it tells an agent that
// comes back whether the messages that it was taking off are gone because it took them, or because another one did.
// Loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "common/amqp/connection.hpp"
#include "common/formats/queue_journal.hpp"

namespace baton::queue {

class journal {
 public:
  // `queue`: the journal's. `run`: unique, to know what comes back.
  journal(std::string queue, std::string agent, std::string run)
      : queue_(std::move(queue)), agent_(std::move(agent)), run_(std::move(run)) {}

  // On a connection that has the queue itself; `known` when all that others left has been read.
  void open(amqp::connection& through, std::function<void()> known);
  // Its links end, and give back what they hold: who has the queue next opens it anew.
  void close();
  // The connection has gone, and its links with it.
  void forget() { reads_ = writes_ = 0; }
  bool has(amqp::link_id link) const { return link != 0 && (link == reads_ || link == writes_); }
  void received(amqp::delivery_id delivery, const amqp::message& content);
  // Whether what was written is durable, or the queue took what open() sent; none: it was not one of this journal's.
  std::optional<bool> sent(amqp::send_id id, amqp::outcome how);

  // Another one has taken this transfer's messages.
  bool is_overtaken(const std::string& transfer_id) const;
  // This transfer takes the messages that begin with `first` off the queue: `written` when that is durable. When they
  // are those of another one, which has not taken them, that one is overtaken.
  void write(const std::string& transfer_id, const std::string& first, std::function<void()> written);

 private:
  void send(const formats::queue_journal& what);

  const std::string queue_, agent_, run_;
  amqp::connection* through_ = nullptr;
  amqp::link_id reads_ = 0, writes_ = 0;
  formats::queue_journal newest_;
  amqp::delivery_id held_ = 0;  // the newest one that has come, and its sequence
  std::uint64_t held_sequence_ = 0;
  std::function<void()> known_, written_;
  amqp::send_id writing_ = 0, note_ = 0;
};

}  // namespace baton::queue
