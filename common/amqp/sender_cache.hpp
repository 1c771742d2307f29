// Senders by address, on one connection: opened when first used, the one that was not used for longest closed when
// there are too many. For those who answer: reply queues come and go with the commands that wait on them. Loop thread.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "common/amqp/connection.hpp"

namespace baton::amqp {

class sender_cache {
 public:
  static constexpr std::size_t senders_max = 64;  // but for those that are kept

  // `stream`: of links that settle what they send. `keeps`, when given, says which addresses must not be closed now:
  // what was sent there and is not answered would not be answered any more.
  explicit sender_cache(bool stream = false, std::function<bool(const std::string&)> keeps = nullptr)
      : stream_(stream), keeps_(std::move(keeps)) {}
  send_id send(connection& through, const std::string& address, message content);
  // The address of a link that was lost; none when it is not one of these.
  std::optional<std::string> lost(link_id link);
  void clear();

 private:
  void make_room(connection& through);

  const bool stream_;
  const std::function<bool(const std::string&)> keeps_;
  std::map<std::string, link_id> links_;
  std::deque<std::string> order_;  // of use; the newest is the last
};

}  // namespace baton::amqp
