// What was sent and is not answered yet: a queue manager that blocks senders (its disk or memory is full, a queue has
// reached a limit) says nothing at all, so only the time tells. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "common/amqp/connection.hpp"

namespace baton::agent {

class send_watch {
 public:
  explicit send_watch(std::int64_t patience_ms) : patience_ms_(patience_ms) {}

  void sent(amqp::send_id id, std::string queue, std::int64_t now_ms) {
    waiting_.emplace(id, waiting{std::move(queue), now_ms});
  }
  // The queue that it was for; none when it is not waited for any more.
  std::optional<std::string> answered(amqp::send_id id) {
    const auto found = waiting_.extract(id);
    return found ? std::optional(std::move(found.mapped().queue)) : std::nullopt;
  }
  // Nothing that was sent there is answered any more: the link is lost.
  void forget(const std::string& queue) {
    std::erase_if(waiting_, [&queue](const auto& one) { return one.second.queue == queue; });
  }
  bool waits_for(const std::string& queue) const {
    return std::any_of(waiting_.begin(), waiting_.end(),
                       [&queue](const auto& one) { return one.second.queue == queue; });
  }
  // The queue of the oldest message, when it has waited for longer than the patience.
  std::optional<std::string> overdue(std::int64_t now_ms) const {
    if (waiting_.empty() || now_ms - waiting_.begin()->second.since_ms < patience_ms_) return std::nullopt;
    return waiting_.begin()->second.queue;
  }
  // How long from now until something can be overdue that is not yet; none when nothing is waited for.
  std::optional<std::int64_t> look_in_ms(std::int64_t now_ms) const {
    if (waiting_.empty()) return std::nullopt;
    const std::int64_t left = patience_ms_ - (now_ms - waiting_.begin()->second.since_ms);
    return left > 0 ? left : patience_ms_;
  }

 private:
  struct waiting {
    std::string queue;
    std::int64_t since_ms = 0;
  };
  std::int64_t patience_ms_;
  std::map<amqp::send_id, waiting> waiting_;  // in the order of sending
};

}  // namespace baton::agent
