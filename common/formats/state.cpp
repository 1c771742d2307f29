#include "common/formats/state.hpp"

#include "common/formats/json_archive.hpp"

namespace baton::formats {

template <class Archive>
void describe(Archive& a, source_record& r) {
  a("transferId", r.transfer_id);
  a("sequence", r.sequence);
  a("request", r.request);
  a("replyTo", r.reply_to);
  a("correlationId", r.correlation_id);
  a("attempt", r.attempt);
  a("resultsFrom", r.results_from);
  a("succeeded", r.succeeded);
  a("failed", r.failed);
  a("warnings", r.warnings);
  a("bytes", r.bytes);
  a("logSequence", r.log_sequence);
  a("startTime", r.start_time_ms);
  a("recoveries", r.recoveries);
}

std::string to_json(const source_record& record) {
  return write_json(record);
}
result<source_record> read_source_record(const std::string& json) {
  return read_json<source_record>(json, "transfer record");
}

}  // namespace baton::formats
