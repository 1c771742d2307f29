#include "common/amqp/sender_cache.hpp"

#include <algorithm>

namespace baton::amqp {

send_id sender_cache::send(connection& through, const std::string& address, message content) {
  auto found = links_.find(address);
  if (found == links_.end()) {
    if (links_.size() >= senders_max) make_room(through);
    found = links_.emplace(address, through.open_sender(address, stream_)).first;
    order_.push_back(address);
  } else if (order_.back() != address) {
    std::erase(order_, address);
    order_.push_back(address);
  }
  return through.send(found->second, std::move(content));
}

void sender_cache::make_room(connection& through) {
  const auto oldest =
      std::find_if(order_.begin(), order_.end(), [this](const auto& one) { return !keeps_ || !keeps_(one); });
  if (oldest == order_.end()) return;
  through.close_link(links_.at(*oldest));
  links_.erase(*oldest);
  order_.erase(oldest);
}

std::optional<std::string> sender_cache::lost(link_id link) {
  const auto found =
      std::find_if(links_.begin(), links_.end(), [link](const auto& entry) { return entry.second == link; });
  if (found == links_.end()) return std::nullopt;
  std::string address = found->first;
  links_.erase(found);
  std::erase(order_, address);
  return address;
}

void sender_cache::clear() {
  links_.clear();
  order_.clear();
}

}  // namespace baton::amqp
