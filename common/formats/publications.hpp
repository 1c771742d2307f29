// What agents publish on SYSTEM.FTE, and how the coordination service is asked. JSON bodies, version 1.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/formats/instances.hpp"
#include "common/formats/requests.hpp"

namespace baton::formats {

namespace subject {
inline constexpr const char* agent_status = "agent.status";          // body: agent_status; the newest replaces
inline constexpr const char* agent_deleted = "agent.deleted";        // body: {"agent": name}; its status goes
inline constexpr const char* transfer_log = "transfer.log";          // body: log_event; kept as the audit record
inline constexpr const char* transfer_progress = "transfer.status";  // body: progress + agents; newest replaces
inline constexpr const char* query = "query";                        // to SYSTEM.FTE.QUERY; body: query
}  // namespace subject

// Words of `status`: STARTING, READY, ACTIVE, STOPPING, STOPPED (reference 9.1; UNREACHABLE and others are the
// reader's).
struct agent_status {
  std::string agent, description, qmgr, qmgr_host, transport;  // transport: "bindings" or "client"
  int qmgr_port = 0;
  std::string status;
  std::string version, host, os, time_zone, instance;
  int pid = 0;
  std::int64_t start_time_ms = 0;  // wall clock, UTC
  std::int64_t publish_time_ms = 0;
  std::int64_t publish_interval_ms = 300000;  // the next one comes at the latest then
  std::int64_t jitter_ms = 3000;
  int max_source_transfers = 0, max_destination_transfers = 0, max_queued_transfers = 0;
  std::map<std::string, std::string> source_transfers;  // id -> state
  std::map<std::string, std::string> destination_transfers;
  int queued_transfers = 0;
  int restarts = 0;                        // by the controller, since it started
  std::uint64_t epoch = 0;                 // of the lock
  std::vector<instance_status> instances;  // of a highly available agent, the active one first
  std::string preferred_instances;         // the property, as the active instance has it
  std::int64_t fail_back_ms = -1;          // failBackDelay; -1: it does not fail back
};

struct log_item {
  std::uint64_t number = 0;
  std::string source, destination;  // as text
  std::uint64_t size = 0;
  std::int64_t modified_ms = 0;
  std::string checksum_method, checksum;
  int result_code = 0;     // 0 ok, 1 failed, 2 warning
  std::string supplement;  // a rendered message when not 0
  std::string disposition, mode;
};

struct log_event {
  std::string transfer_id;
  std::string action;          // started, progress, completed, cancelled, malformed
  std::int64_t time_ms = 0;    // wall clock, UTC
  std::uint64_t sequence = 0;  // within the transfer, from 0: the reader drops repeats
  std::string job, originator_host, originator_user, source_agent, destination_agent;
  int priority = 0;
  std::map<std::string, std::string> metadata;
  int result_code = 0;  // completed, cancelled, malformed
  std::string supplement;
  std::uint64_t items_total = 0, bytes_total = 0, bytes_sent = 0, failed = 0, warnings = 0;
  std::int64_t start_time_ms = 0;
  int retries = 0;                 // how often it went into recovery
  std::uint64_t wasted_bytes = 0;  // sent in vain
  std::vector<log_item> items;     // progress
};

struct transfer_status {  // subject transfer.status
  progress how_far;
  std::string source_agent, destination_agent, job;
  std::int64_t time_ms = 0;
};

std::string to_json(const agent_status& status);
std::string to_json(const log_event& event);
std::string to_json(const transfer_status& status);
result<agent_status> read_agent_status(const std::string& json);
result<log_event> read_log_event(const std::string& json);
result<transfer_status> read_transfer_status(const std::string& json);

inline constexpr int answer_rows_max = 10000;  // of one answer, whatever `limit` says

// A query to the coordination service. `what`: "agents" | "takeovers" | "transfers" | "transfer" | "items".
//   takeovers: pattern (agent), limit    -> answer.takeovers, newest first
//   agents:    pattern (wildcard)        -> answer.agents
//   transfers: limit, active_only        -> answer.transfers, newest first
//   transfer:  id (or its unique start)  -> answer.transfers with one
//   items:     id, after (number), limit -> answer.items
struct query {
  std::string what, pattern = "*", id;
  bool active_only = false;
  std::uint64_t after = 0;
  int limit = 100;
};

struct agent_row {
  agent_status status;
  std::int64_t age_ms = 0;   // since it was received, by the coordination service's clock
  std::string shown_status;  // status, or UNREACHABLE when age passes interval + jitter
};

struct transfer_row {
  std::string id, job, source_agent, destination_agent, originator_user, originator_host, state;
  int result_code = -1;  // -1: not ended
  std::string supplement;
  std::int64_t start_ms = 0, end_ms = 0, updated_ms = 0;
  std::uint64_t items = 0, items_total = 0, failed = 0, bytes = 0, bytes_total = 0;
  int retries = 0;
  std::uint64_t wasted_bytes = 0;
  // While it is under way.
  std::uint64_t rate = 0;
  std::int64_t time_left_ms = -1;
  std::string channel;
  std::map<std::string, std::string> metadata;
};

struct answer {
  int result_code = 0;  // 0, or 1 with text
  std::string text;
  std::vector<agent_row> agents;
  std::vector<takeover> takeovers;
  std::vector<transfer_row> transfers;
  std::vector<log_item> items;
};

std::string to_json(const query& question);
std::string to_json(const answer& found);
result<query> read_query(const std::string& json);
result<answer> read_answer(const std::string& json);

}  // namespace baton::formats
