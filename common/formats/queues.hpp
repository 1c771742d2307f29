// The queues of an agent and of the topology, and how each is declared. docs/formats.md says what travels on them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace baton::formats {

enum class queue_kind { shared, exclusive, single_active };
const char* to_string(queue_kind kind);  // "shared", "exclusive", "single-active"

struct queue_declaration {
  std::string name;
  queue_kind kind = queue_kind::shared;
  std::uint64_t messages_max = 0;  // 0: no limit
  bool drop_oldest = false;        // at the limit; otherwise the message is refused
  bool priorities = false;         // messages of higher priority overtake; where that must be asked for
};

inline std::string command_queue(const std::string& agent) {
  return "SYSTEM.FTE.COMMAND." + agent;
}
inline std::string data_queue(const std::string& agent) {
  return "SYSTEM.FTE.DATA." + agent;
}
inline std::string reply_queue(const std::string& agent) {
  return "SYSTEM.FTE.REPLY." + agent;
}
inline std::string state_queue(const std::string& agent) {
  return "SYSTEM.FTE.STATE." + agent;
}
inline std::string event_queue(const std::string& agent) {
  return "SYSTEM.FTE.EVENT." + agent;
}
inline std::string ha_queue(const std::string& agent) {
  return "SYSTEM.FTE.HA." + agent;
}
// Of an application's queue that is read exclusively: what its readers leave for each other.
inline std::string queue_journal_queue(const std::string& queue) {
  return "SYSTEM.FTE.QUEUE." + queue;
}

// What agents publish: status, transfer log, progress. One for the topology.
inline constexpr const char* publication_queue = "SYSTEM.FTE";
// Where list queries to the coordination service go.
inline constexpr const char* query_queue = "SYSTEM.FTE.QUERY";

// All queues of one agent, in the order of their creation.
std::vector<queue_declaration> agent_queues(const std::string& agent);
// The queues of the topology, on the coordination queue manager.
std::vector<queue_declaration> coordination_queues();

}  // namespace baton::formats
