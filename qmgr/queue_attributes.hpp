// How a queue is declared. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace baton::qmgr {

enum class queue_type {
  shared,         // any number of consumers, in turns
  exclusive,      // one consumer; a second one is refused
  single_active,  // one consumer at a time; the others wait
};
enum class overflow_policy { refuse, drop_oldest };

std::string_view to_string(queue_type type);
std::string_view to_string(overflow_policy policy);
std::optional<queue_type> queue_type_of(std::string_view word);
std::optional<overflow_policy> overflow_policy_of(std::string_view word);

struct queue_attributes {
  queue_type type = queue_type::shared;
  std::uint64_t messages_max = 0;  // 0: no limit
  std::uint64_t bytes_max = 0;     // 0: no limit
  overflow_policy overflow = overflow_policy::refuse;
  std::string dead_letter_queue;  // empty: none
  bool operator==(const queue_attributes&) const = default;
};

}  // namespace baton::qmgr
