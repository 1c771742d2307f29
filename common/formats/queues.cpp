#include "common/formats/queues.hpp"

namespace baton::formats {
namespace {
// With a dead coordination service, publications wait up to this many; then the oldest go, and nothing else stops.
constexpr std::uint64_t publications_max = 100000;
}  // namespace

const char* to_string(queue_kind kind) {
  switch (kind) {
    case queue_kind::shared:
      return "shared";
    case queue_kind::exclusive:
      return "exclusive";
    case queue_kind::single_active:
      return "single-active";
  }
  return "shared";
}

std::vector<queue_declaration> agent_queues(const std::string& agent) {
  return {
      {command_queue(agent), queue_kind::exclusive, 0, false, true},
      {data_queue(agent), queue_kind::exclusive, 0, false},
      {reply_queue(agent), queue_kind::exclusive, 0, false},
      {state_queue(agent), queue_kind::exclusive, 0, false},
      {event_queue(agent), queue_kind::shared, 0, false},
      {ha_queue(agent), queue_kind::single_active, 0, false},
  };
}

std::vector<queue_declaration> coordination_queues() {
  return {
      {publication_queue, queue_kind::exclusive, publications_max, true},
      {query_queue, queue_kind::shared, 0, false},
  };
}

}  // namespace baton::formats
