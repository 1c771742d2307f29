#include "common/formats/publications.hpp"

#include "common/formats/instances_archive.hpp"
#include "common/formats/json_archive.hpp"

namespace baton::formats {

template <class Archive>
void describe(Archive& a, agent_status& s) {
  a.identity("agentName", s.agent);
  a("agentDescription", s.description);
  a("queueManager", s.qmgr);
  a("queueManagerHost", s.qmgr_host);
  a("queueManagerPort", s.qmgr_port);
  a("transport", s.transport);
  a("status", s.status);
  a("agentVersion", s.version);
  a("agentDeclaredHostName", s.host);
  a("agentOsName", s.os);
  a("agentTimeZone", s.time_zone);
  a("instance", s.instance);
  a("pid", s.pid);
  a("startTime", s.start_time_ms);
  a("publishTime", s.publish_time_ms);
  a("publishInterval", s.publish_interval_ms);
  a("jitterTolerance", s.jitter_ms);
  a("maxSourceTransfers", s.max_source_transfers);
  a("maxDestinationTransfers", s.max_destination_transfers);
  a("maxQueuedTransfers", s.max_queued_transfers);
  a("sourceTransferStates", s.source_transfers);
  a("destinationTransferStates", s.destination_transfers);
  a("queuedTransfers", s.queued_transfers);
  a("restarts", s.restarts);
  a("epoch", s.epoch);
  a("instances", s.instances);
  a("preferredInstances", s.preferred_instances);
  a("failBackDelay", s.fail_back_ms);
}

template <class Archive>
void describe(Archive& a, log_item& i) {
  a("number", i.number);
  a("source", i.source);
  a("destination", i.destination);
  a("size", i.size);
  a("lastModified", i.modified_ms);
  a("checksumMethod", i.checksum_method);
  a("checksum", i.checksum);
  a("resultCode", i.result_code);
  a("supplement", i.supplement);
  a("disposition", i.disposition);
  a("mode", i.mode);
}

template <class Archive>
void describe(Archive& a, log_event& e) {
  a.identity("transferId", e.transfer_id);
  a("action", e.action);
  a("time", e.time_ms);
  a("sequence", e.sequence);
  a("job", e.job);
  a("originatorHost", e.originator_host);
  a("originatorUser", e.originator_user);
  a("sourceAgent", e.source_agent);
  a("destinationAgent", e.destination_agent);
  a("priority", e.priority);
  a("metaData", e.metadata);
  a("resultCode", e.result_code);
  a("supplement", e.supplement);
  a("itemsTotal", e.items_total);
  a("bytesTotal", e.bytes_total);
  a("bytesSent", e.bytes_sent);
  a("failed", e.failed);
  a("warnings", e.warnings);
  a("startTime", e.start_time_ms);
  a("retryCount", e.retries);
  a("wastedBytes", e.wasted_bytes);
  a("items", e.items);
}

template <class Archive>
void describe(Archive& a, transfer_status& s) {
  a.identity("transferId", s.how_far.transfer_id);
  a("state", s.how_far.state);
  a("items", s.how_far.items);
  a("itemsTotal", s.how_far.items_total);
  a("failed", s.how_far.failed);
  a("bytes", s.how_far.bytes);
  a("bytesTotal", s.how_far.bytes_total);
  a("elapsedMs", s.how_far.elapsed_ms);
  a("currentItem", s.how_far.current_item);
  a("rate", s.how_far.rate);
  a("timeLeftMs", s.how_far.time_left_ms);
  a("retryCount", s.how_far.retries);
  a("wastedBytes", s.how_far.wasted_bytes);
  a("channel", s.how_far.channel);
  a("sourceAgent", s.source_agent);
  a("destinationAgent", s.destination_agent);
  a("job", s.job);
  a("time", s.time_ms);
}

template <class Archive>
void describe(Archive& a, query& q) {
  a("what", q.what);
  a("pattern", q.pattern);
  a("id", q.id);
  a("activeOnly", q.active_only);
  a("after", q.after);
  a("limit", q.limit);
}

template <class Archive>
void describe(Archive& a, agent_row& r) {
  a("status", r.status);
  a("ageMs", r.age_ms);
  a("shownStatus", r.shown_status);
}

template <class Archive>
void describe(Archive& a, transfer_row& r) {
  a("id", r.id);
  a("job", r.job);
  a("sourceAgent", r.source_agent);
  a("destinationAgent", r.destination_agent);
  a("originatorUser", r.originator_user);
  a("originatorHost", r.originator_host);
  a("state", r.state);
  a("resultCode", r.result_code);
  a("supplement", r.supplement);
  a("start", r.start_ms);
  a("end", r.end_ms);
  a("updated", r.updated_ms);
  a("items", r.items);
  a("itemsTotal", r.items_total);
  a("failed", r.failed);
  a("bytes", r.bytes);
  a("bytesTotal", r.bytes_total);
  a("retryCount", r.retries);
  a("wastedBytes", r.wasted_bytes);
  a("rate", r.rate);
  a("timeLeftMs", r.time_left_ms);
  a("channel", r.channel);
  a("metaData", r.metadata);
}

template <class Archive>
void describe(Archive& a, answer& r) {
  a("resultCode", r.result_code);
  a("text", r.text);
  a("agents", r.agents);
  a("takeovers", r.takeovers);
  a("transfers", r.transfers);
  a("items", r.items);
}

std::string to_json(const agent_status& status) {
  return write_json(status);
}
std::string to_json(const log_event& event) {
  return write_json(event);
}
std::string to_json(const transfer_status& status) {
  return write_json(status);
}
std::string to_json(const query& question) {
  return write_json(question);
}
std::string to_json(const answer& found) {
  return write_json(found);
}

result<agent_status> read_agent_status(const std::string& json) {
  return read_json<agent_status>(json, "agent status");
}
result<log_event> read_log_event(const std::string& json) {
  return read_json<log_event>(json, "log event");
}
result<transfer_status> read_transfer_status(const std::string& json) {
  return read_json<transfer_status>(json, "transfer status");
}
result<query> read_query(const std::string& json) {
  return read_json<query>(json, "query");
}
result<answer> read_answer(const std::string& json) {
  return read_json<answer>(json, "answer");
}

}  // namespace baton::formats
