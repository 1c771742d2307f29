#include "agent/queue/groups.hpp"

namespace baton::queue {

std::vector<std::size_t> groups::add(const part& message) {
  const std::size_t number = count_++;
  if (message.group.empty()) return {};
  group& its = groups_[message.group];
  if (!its.numbers.emplace(message.sequence, number).second) return {};
  if (message.last && !its.has_last) {
    its.has_last = true;
    its.last = message.sequence;
  }
  const std::uint32_t first = its.numbers.begin()->first;
  const bool whole = its.has_last && first <= 1 && its.numbers.rbegin()->first == its.last &&
                     its.numbers.size() == std::size_t{its.last} - first + 1;
  std::vector<std::size_t> found;
  if (!whole) return found;
  for (const auto& [sequence, which] : its.numbers) found.push_back(which);
  return found;
}

}  // namespace baton::queue
