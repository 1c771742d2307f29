#include "common/formats/transfer.hpp"

#include "common/formats/transfer_members.hpp"

namespace baton::formats {

template <class Archive>
void describe(Archive& a, data_offer& o) {
  a("host", o.host);
  a("port", o.port);
  a("secret", o.secret);
  a("tls", o.tls);
  a("machine", o.machine);
}

template <class Archive>
void describe(Archive& a, negotiated& m) {
  a("transferId", m.transfer_id);
  a("epoch", m.epoch);
  a("run", m.run);
  a("attempt", m.attempt);
  a("resultCode", m.result_code);
  a("text", m.text);
  a("from", m.from);
  a("chunkBytes", m.chunk_bytes);
  a("windowFrames", m.window_frames);
  a("epochSeen", m.epoch_seen);
  a("runSeen", m.run_seen);
  a("direct", m.direct);
}

template <class Archive>
void describe(Archive& a, item_result& r) {
  a("number", r.number);
  a("resultCode", r.result_code);
  a("text", r.text);
  a("checksum", r.checksum);
}

template <>
struct words<halt_reason> {
  static constexpr const char* list[] = {"none", "damaged", "noRoom"};
};

template <class Archive>
void describe(Archive& a, ack& m) {
  a("transferId", m.transfer_id);
  a("epoch", m.epoch);
  a("run", m.run);
  a("attempt", m.attempt);
  a("frames", m.frames);
  a("durable", m.durable);
  a("results", m.results);
  a("complete", m.complete);
  a("halted", m.halted);
  a("text", m.text);
}

template <class Archive>
void describe(Archive& a, finish& m) {
  a("transferId", m.transfer_id);
  a("epoch", m.epoch);
  a("run", m.run);
  a("attempt", m.attempt);
  a("how", m.how);
  a("sourceAgent", m.source_agent);
  a.names("directories", m.directories);
}

template <class Archive>
void describe(Archive& a, transfer_query& m) {
  a("transferId", m.transfer_id);
  a("sourceAgent", m.source_agent);
  a("epoch", m.epoch);
  a("run", m.run);
  a("attempt", m.attempt);
}

std::string to_json(const negotiate& m) {
  return write_json(m);
}
std::string to_json(const negotiated& m) {
  return write_json(m);
}
std::string to_json(const ack& m) {
  return write_json(m);
}
std::string to_json(const finish& m) {
  return write_json(m);
}
std::string to_json(const transfer_query& m) {
  return write_json(m);
}
result<negotiate> read_negotiate(const std::string& json) {
  return read_json<negotiate>(json, "negotiation");
}
result<negotiated> read_negotiated(const std::string& json) {
  return read_json<negotiated>(json, "negotiation answer");
}
result<ack> read_ack(const std::string& json) {
  return read_json<ack>(json, "acknowledgement");
}
result<finish> read_finish(const std::string& json) {
  return read_json<finish>(json, "finish");
}
result<transfer_query> read_transfer_query(const std::string& json) {
  return read_json<transfer_query>(json, "query");
}

}  // namespace baton::formats
