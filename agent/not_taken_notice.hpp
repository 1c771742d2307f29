// Whether to tell people that the queue manager takes no messages: once, over however many connections, until it takes
// again what it did not, or something else for a good while. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace baton::agent {

class not_taken_notice {
 public:
  // A message for this queue was not taken. True: it is to be told.
  bool not_taken(const std::string& queue, std::int64_t now_ms) {
    if (!std::exchange(queue_, queue).empty()) return false;
    since_ms_ = now_ms;
    return true;
  }
  // A message for this queue was taken. True: it is to be told that all is well again.
  bool taken(const std::string& queue, std::int64_t now_ms) {
    constexpr std::int64_t good_while_ms = 30000;
    if (queue_.empty() || (queue != queue_ && now_ms - since_ms_ < good_while_ms)) return false;
    queue_.clear();
    return true;
  }
  bool told() const { return !queue_.empty(); }

 private:
  std::string queue_;  // that was not taken for last; empty: nothing is told
  std::int64_t since_ms_ = 0;
};

}  // namespace baton::agent
