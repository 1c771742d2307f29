// Senders by address, on one connection: opened when first used, the oldest closed when there are too many. For those
// who answer: reply queues come and go with the commands that wait on them. Loop thread.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "common/amqp/connection.hpp"

namespace baton::amqp {

class sender_cache {
 public:
  explicit sender_cache(bool stream = false) : stream_(stream) {}  // of links that settle what they send
  send_id send(connection& through, const std::string& address, message content);
  // The address of a link that was lost; none when it is not one of these.
  std::optional<std::string> lost(link_id link);
  void clear();

 private:
  const bool stream_;
  std::map<std::string, link_id> links_;
  std::deque<std::string> order_;  // of opening
};

}  // namespace baton::amqp
