#include "qmgr/queue_attributes.hpp"

namespace baton::qmgr {

std::string_view to_string(queue_type type) {
  switch (type) {
    case queue_type::exclusive:
      return "exclusive";
    case queue_type::single_active:
      return "single-active";
    case queue_type::shared:
      break;
  }
  return "shared";
}

std::string_view to_string(overflow_policy policy) {
  return policy == overflow_policy::refuse ? "refuse" : "drop-oldest";
}

std::optional<queue_type> queue_type_of(std::string_view word) {
  for (const auto type : {queue_type::shared, queue_type::exclusive, queue_type::single_active}) {
    if (word == to_string(type)) return type;
  }
  return std::nullopt;
}

std::optional<overflow_policy> overflow_policy_of(std::string_view word) {
  for (const auto policy : {overflow_policy::refuse, overflow_policy::drop_oldest}) {
    if (word == to_string(policy)) return policy;
  }
  return std::nullopt;
}

}  // namespace baton::qmgr
