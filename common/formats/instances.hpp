// What instances of one agent say of themselves. JSON bodies, version 1.
#pragma once

#include <cstdint>
#include <string>

#include "common/result.hpp"

namespace baton::formats {

namespace subject {
inline constexpr const char* standby_status = "agent.standby";   // standby -> COMMAND; body: instance_status
inline constexpr const char* agent_takeover = "agent.takeover";  // active -> SYSTEM.FTE; body: takeover
}  // namespace subject

struct instance_status {
  std::string name, role;  // role: active, standby, ended
  std::string host, version;
  int pid = 0, priority = 0;
  int format = 0;              // of the records on STATE that it reads
  std::uint64_t epoch = 0;     // of the active one
  std::int64_t since_ms = 0;   // wall clock of its host: when it got this role
  std::int64_t silent_ms = 0;  // when published: since the active one heard of it, by that one's clock
};

// An instance became active.
struct takeover {
  std::string agent, instance, host;
  std::uint64_t epoch = 0;
  std::string previous_instance, previous_host;  // empty: none is known
  std::uint64_t previous_epoch = 0;
  bool clean = false;            // the one before had given the lock back
  std::int64_t time_ms = 0;      // wall clock, UTC
  std::int64_t duration_ms = 0;  // from being delivered the lock to accepting requests
  std::int64_t outage_ms = -1;   // since the last renewal of the one before, by the clocks of two hosts; -1: unknown
};

std::string to_json(const instance_status& status);
std::string to_json(const takeover& event);
result<instance_status> read_instance_status(const std::string& json);
result<takeover> read_takeover(const std::string& json);

}  // namespace baton::formats
