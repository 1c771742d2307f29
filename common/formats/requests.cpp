#include "common/formats/requests.hpp"

#include <fmt/format.h>

#include "common/formats/json_archive.hpp"
#include "common/text.hpp"

namespace baton::formats {

template <>
struct words<file_mode> {
  static constexpr const char* list[] = {"binary", "text"};
};
template <>
struct words<checksum_kind> {
  static constexpr const char* list[] = {"none", "MD5", "SHA-256", "XXH3"};
};
template <>
struct words<disposition> {
  static constexpr const char* list[] = {"leave", "delete"};
};
template <>
struct words<exist_action> {
  static constexpr const char* list[] = {"error", "overwrite"};
};
template <>
struct words<source_kind> {
  static constexpr const char* list[] = {"file", "queue"};
};
template <>
struct words<destination_kind> {
  static constexpr const char* list[] = {"file", "directory"};
};

std::string to_string(checksum_kind kind) {
  return words<checksum_kind>::list[static_cast<std::size_t>(kind)];
}
std::string to_string(file_mode mode) {
  return words<file_mode>::list[static_cast<std::size_t>(mode)];
}
std::string to_string(disposition what) {
  return words<disposition>::list[static_cast<std::size_t>(what)];
}
std::string to_string(exist_action what) {
  return words<exist_action>::list[static_cast<std::size_t>(what)];
}

std::optional<checksum_kind> checksum_from(const std::string& word) {
  for (std::size_t i = 0; i < std::size(words<checksum_kind>::list); ++i) {
    if (upper(word) == upper(words<checksum_kind>::list[i])) return static_cast<checksum_kind>(i);
  }
  return std::nullopt;
}

template <class Archive>
void describe(Archive& a, transfer_spec& s) {
  a.name("source", s.source);
  a("recursive", s.recursive);
  a("disposition", s.source_disposition);
  a.name("destination", s.destination);
  a("destinationType", s.kind);
  a("exist", s.exist);
  a("mode", s.mode);
  a("checksumMethod", s.checksum);
  a("sourceType", s.from);
  a("sourceQueueQMgr", s.source_queue_qmgr);
  a("queueWait", s.wait_s);
  a("delimiter", s.delimiter);
  a("delimiterBefore", s.delimiter_before);
  a("exclusive", s.exclusive);
  a("group", s.group);
}

template <class Archive>
void describe(Archive& a, program_call& c) {
  a.name("command", c.command);
  a.names("arguments", c.arguments);
  a("retryCount", c.retry_count);
  a("retryWait", c.retry_wait_s);
  a("success", c.success);
}

template <class Archive>
void describe(Archive& a, transfer_request& r) {
  a("id", r.id);
  a("job", r.job);
  a("originatorHost", r.originator_host);
  a("originatorUser", r.originator_user);
  a("sourceAgent", r.source_agent);
  a("sourceQMgr", r.source_qmgr);
  a("destinationAgent", r.destination_agent);
  a("destinationQMgr", r.destination_qmgr);
  a("priority", r.priority);
  a("recoveryTimeout", r.recovery_timeout_s);
  a("bandwidth", r.bandwidth);
  a("metaData", r.metadata);
  a("specs", r.specs);
  a("preSource", r.pre_source);
  a("postSource", r.post_source);
  a("wait", r.wait);
}

template <class Archive>
void describe(Archive& a, cancel_request& r) {
  a("id", r.id);
}

template <class Archive>
void describe(Archive& a, stop_request& r) {
  a("immediate", r.immediate);
  a("instance", r.instance);
}

template <class Archive>
void describe(Archive& a, reply& r) {
  a("resultCode", r.result_code);
  a("text", r.text);
  a("transferId", r.transfer_id);
  a("items", r.items);
  a("failed", r.failed);
  a("bytes", r.bytes);
  a("elapsedMs", r.elapsed_ms);
  a("retryCount", r.retries);
  a("wastedBytes", r.wasted_bytes);
  a("details", r.details);
}

template <class Archive>
void describe(Archive& a, progress& p) {
  a("transferId", p.transfer_id);
  a("state", p.state);
  a("items", p.items);
  a("itemsTotal", p.items_total);
  a("failed", p.failed);
  a("bytes", p.bytes);
  a("bytesTotal", p.bytes_total);
  a("elapsedMs", p.elapsed_ms);
  a("currentItem", p.current_item);
  a("rate", p.rate);
  a("timeLeftMs", p.time_left_ms);
  a("retryCount", p.retries);
  a("wastedBytes", p.wasted_bytes);
  a("channel", p.channel);
}

std::string reply::detail(const std::string& key, const std::string& otherwise) const {
  const auto found = details.find(key);
  return found == details.end() ? otherwise : found->second;
}

std::string to_json(const transfer_request& request) {
  return write_json(request);
}
std::string to_json(const cancel_request& request) {
  return write_json(request);
}
std::string to_json(const stop_request& request) {
  return write_json(request);
}
std::string to_json(const reply& answer) {
  return write_json(answer);
}
std::string to_json(const progress& how_far) {
  return write_json(how_far);
}

result<transfer_request> read_transfer_request(const std::string& json) {
  return read_json<transfer_request>(json, "transfer request");
}

bool is_from_queue(const transfer_request& r) {
  return r.specs.size() == 1 && r.specs.front().from == source_kind::queue;
}

namespace {

status check_queue(const transfer_request& r) {
  const auto bad = [](const char* why) { return error{errc::bad_message, std::string("specs: ") + why}; };
  const transfer_spec& spec = r.specs.front();
  if (r.specs.size() != 1) return bad("a queue has to be the only source");
  if (spec.kind != destination_kind::file) return bad("the messages of a queue go to a file, not to a directory");
  if (spec.source_disposition != disposition::leave) return bad("messages are taken off their queue in any case");
  if (spec.mode != file_mode::binary) return bad("the messages of a queue are transferred in binary mode");
  if (spec.checksum == checksum_kind::none)
    return bad("the messages of a queue are not transferred without a checksum");
  if (spec.wait_s < 0 || spec.wait_s > queue_wait_s_max) return bad("queueWait is not 0 to 86400");
  if (spec.delimiter.size() > 2 * delimiter_bytes_max || !from_hex(spec.delimiter)) {
    return bad("delimiter is not hex, or longer than 1024 bytes");
  }
  return done();
}

}  // namespace

status check(const transfer_request& r) {
  const auto bad = [](const std::string& why) { return error{errc::bad_message, why}; };
  if (r.id.size() != transfer_id_digits || !from_hex(r.id)) return bad("id: expected 48 hex digits, found " + r.id);
  if (r.destination_agent.empty()) return bad("destinationAgent is missing");
  if (r.specs.empty()) return bad("specs: there is no source");
  if (r.priority < 0 || r.priority > 9) return bad(fmt::format("priority {} is not 0 to 9", r.priority));
  if (r.recovery_timeout_s < -2 || r.recovery_timeout_s > recovery_timeout_s_max) {
    return bad(fmt::format("recoveryTimeout {} is not -1 to {}", r.recovery_timeout_s, recovery_timeout_s_max));
  }
  for (const auto& spec : r.specs) {
    if (spec.source.empty() || spec.destination.empty()) return bad("specs: a source or destination is empty");
    if (spec.source.find('\0') != std::string::npos) return bad("specs: a source contains a zero byte");
    if (spec.from != source_kind::queue) continue;
    if (const auto sound = check_queue(r); !sound) return sound;
  }
  if (const auto sound = check(r.pre_source); !sound) return bad("preSource: " + sound.error().text);
  if (const auto sound = check(r.post_source); !sound) return bad("postSource: " + sound.error().text);
  return done();
}

result<cancel_request> read_cancel_request(const std::string& json) {
  return read_json<cancel_request>(json, "cancel request");
}
result<stop_request> read_stop_request(const std::string& json) {
  return read_json<stop_request>(json, "stop request");
}
result<reply> read_reply(const std::string& json) {
  return read_json<reply>(json, "reply");
}
result<progress> read_progress(const std::string& json) {
  return read_json<progress>(json, "progress");
}

}  // namespace baton::formats
