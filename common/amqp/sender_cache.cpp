#include "common/amqp/sender_cache.hpp"

#include <algorithm>

namespace baton::amqp {
namespace {
constexpr std::size_t senders_max = 64;
}

send_id sender_cache::send(connection& through, const std::string& address, message content) {
  auto found = links_.find(address);
  if (found == links_.end()) {
    if (links_.size() >= senders_max) {
      through.close_link(links_.at(order_.front()));
      links_.erase(order_.front());
      order_.pop_front();
    }
    found = links_.emplace(address, through.open_sender(address, stream_)).first;
    order_.push_back(address);
  }
  return through.send(found->second, std::move(content));
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
