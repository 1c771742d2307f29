// What kinds of queue manager have in common whose management is reached over AMQP, by requests and answers, and whose
// AMQP is as the standard says: a base of dialects. Included by dialects only.
#pragma once

#include <string>
#include <vector>

#include "common/amqp/dialect.hpp"
#include "common/amqp/requester.hpp"

namespace baton::amqp {

class dialect_over_amqp : public dialect {
 public:
  status declare(const connection_options& where, const std::vector<formats::queue_declaration>& queues,
                 std::int64_t timeout_ms) const override;
  status remove(const connection_options& where, const std::vector<std::string>& queues,
                std::int64_t timeout_ms) const override;
  status purge(const connection_options& where, const std::string& queue, std::int64_t timeout_ms) const override;
  result<bool> exists(const connection_options& where, const std::string& queue,
                      std::int64_t timeout_ms) const override;
  result<std::string> make_reply_queue(const connection_options& where, std::int64_t timeout_ms) const override;

  bool refuses_second_consumer(formats::queue_kind kind) const override {
    return kind == formats::queue_kind::exclusive;
  }
  bool refuses_missing_queues() const override { return true; }
  bool has_dynamic_queues() const override { return true; }
  bool can_browse() const override { return true; }
  bool settles_before_close() const override { return true; }
  std::string address_of(const std::string& queue) const override { return queue; }
  std::string queue_of(const std::string& address) const override { return address; }
  std::uint8_t priority_to_wire(std::uint8_t priority) const override { return priority; }
  std::uint8_t priority_from_wire(std::uint8_t priority) const override { return priority; }
  outcome outcome_to_wire(outcome how) const override { return how; }

 protected:
  // Each request has the timeout for itself. Errors besides those of the conversation: as the dialect's functions say.
  // Before the first queue is made.
  virtual status prepare(requester& peer, const std::string& queue, std::int64_t timeout_ms) const;
  virtual status make(requester& peer, const formats::queue_declaration& queue, std::int64_t timeout_ms) const = 0;
  virtual status unmake(requester& peer, const std::string& queue, std::int64_t timeout_ms) const = 0;
  virtual status empty(requester& peer, const std::string& queue, std::int64_t timeout_ms) const = 0;
  virtual status find(requester& peer, const std::string& queue, std::int64_t timeout_ms) const = 0;
};

// A property of an answer; empty when it has none of this name.
std::string property_of(const message& answer, const std::string& name);

}  // namespace baton::amqp
