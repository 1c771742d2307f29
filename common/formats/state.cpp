#include "common/formats/state.hpp"

#include <fmt/format.h>
#include <zstd.h>

#include <stdexcept>

#include "common/bytes.hpp"
#include "common/formats/frame.hpp"
#include "common/formats/requests.hpp"
#include "common/formats/transfer_members.hpp"

namespace baton::formats {

template <class Archive>
void describe(Archive& a, verified_item& i) {
  a("number", i.number);
  a("size", i.size);
  a("device", i.device);
  a("inode", i.inode);
  a("modifiedS", i.modified_s);
  a("modifiedNs", i.modified_ns);
  a("checksum", i.checksum);
}

template <class Archive>
void describe(Archive& a, source_record& r) {
  a("transferId", r.transfer_id);
  a("sequence", r.sequence);
  a("epoch", r.epoch);
  a("request", r.request);
  a("replyTo", r.reply_to);
  a("correlationId", r.correlation_id);
  a("arrival", r.arrival);
  a("attempt", r.attempt);
  a("resultsFrom", r.results_from);
  a("done", r.done);
  a("deleting", r.deleting);
  a("succeeded", r.succeeded);
  a("failed", r.failed);
  a("warnings", r.warnings);
  a("bytes", r.bytes);
  a("sentBytes", r.sent_bytes);
  a("logSequence", r.log_sequence);
  a("startTime", r.start_time_ms);
  a("recoveries", r.recoveries);
  a("planned", r.planned);
  a("planParts", r.plan_parts);
  a("planBytes", r.plan_bytes);
  a("planCheck", r.plan_check);
  a("itemsTotal", r.items_total);
  a("bytesTotal", r.bytes_total);
  a("programs", r.programs);
  a("peerEpoch", r.peer_epoch);
  a("peerRun", r.peer_run);
  a("messagesTaken", r.messages_taken);
  a("messagesTaken", r.messages_taken);
  a("resultCode", r.result_code);
  a("resultText", r.result_text);
}

template <class Archive>
void describe(Archive& a, destination_record& r) {
  a("transferId", r.transfer_id);
  a("sequence", r.sequence);
  a("epoch", r.epoch);
  a("terms", r.terms);
  a("durable", r.durable);
  a.name("path", r.path);
  a.name("part", r.part);
  a("size", r.size);
  a("modifiedS", r.modified_s);
  a("modifiedNs", r.modified_ns);
}

namespace {

constexpr std::string_view part_magic = "BTNQ\x02";
constexpr const char* check_member = "check";

std::string check_of(const nlohmann::json& body) {
  return fmt::format("{:016x}", data_check(body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
}

// The record with a member `check`: the XXH3-64 of the text without it, whose members are in alphabetic order.
template <class Record>
std::string write_checked(const Record& from) {
  auto out = nlohmann::json::parse(write_json(from));
  out[check_member] = check_of(out);
  return out.dump();
}

template <class Record>
result<Record> read_checked(const std::string& json, const char* what) {
  auto parsed = nlohmann::json::parse(json, nullptr, false);
  if (!parsed.is_object()) return error{errc::bad_message, fmt::format("{}: not a JSON object", what)};
  const auto check = parsed.find(check_member);
  if (check == parsed.end()) return error{errc::bad_message, fmt::format("{}: it has no checksum", what)};
  const auto told = *check;
  parsed.erase(check);
  if (told != check_of(parsed)) return error{errc::bad_message, fmt::format("{}: its checksum is wrong", what)};
  auto made = read_json<Record>(json, what);
  if (made && made->transfer_id.size() != transfer_id_digits) {
    return error{errc::bad_message, fmt::format("{}: transferId: expected 48 hex digits", what)};
  }
  return made;
}

}  // namespace

std::string to_json(const source_record& from) {
  return write_checked(from);
}
std::string to_json(const destination_record& from) {
  return write_checked(from);
}
result<source_record> read_source_record(const std::string& json) {
  return read_checked<source_record>(json, "transfer record");
}
result<destination_record> read_destination_record(const std::string& json) {
  return read_checked<destination_record>(json, "record of a received transfer");
}

std::string to_bytes(const plan_part& part) {
  std::string out(part_magic);
  out.reserve(part.packed.size() + 64);
  const auto id = from_hex(part.transfer_id);
  out += id.value_or(std::string());
  put_bytes(out, part.plan_check, 8);
  put_bytes(out, part.number, 4);
  put_bytes(out, part.count, 4);
  out += part.packed;
  put_bytes(out, data_check(out), 8);
  return out;
}

result<plan_part> read_plan_part(std::string_view bytes) {
  constexpr std::size_t around = part_magic.size() + 24 + 8 + 4 + 4 + 8;
  if (bytes.size() < around || !bytes.starts_with(part_magic)) {
    return error{errc::bad_message, "part of a plan: not one of a known version"};
  }
  byte_reader check{bytes.substr(bytes.size() - 8)};
  bytes.remove_suffix(8);
  if (check.take(8) != data_check(bytes)) return error{errc::bad_message, "part of a plan: its checksum is wrong"};
  byte_reader in{bytes.substr(part_magic.size())};
  plan_part part;
  part.transfer_id = to_hex(in.take_bytes(24));
  part.plan_check = in.take(8);
  part.number = static_cast<std::uint32_t>(in.take(4));
  part.count = static_cast<std::uint32_t>(in.take(4));
  part.packed = in.rest;
  if (part.number >= part.count) return error{errc::bad_message, "part of a plan: its place makes no sense"};
  return part;
}

std::string pack_plan(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 1);
  if (ZSTD_isError(size) != 0) throw std::runtime_error(ZSTD_getErrorName(size));  // only for want of memory
  out.resize(size);
  out.shrink_to_fit();
  return out;
}

result<std::string> unpack_plan(std::string_view packed) {
  const auto size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size > plan_part_bytes) {
    return error{errc::bad_message, "part of a plan: it cannot be unpacked"};
  }
  std::string out(static_cast<std::size_t>(size), '\0');
  if (ZSTD_decompress(out.data(), out.size(), packed.data(), packed.size()) != size) {
    return error{errc::bad_message, "part of a plan: it cannot be unpacked"};
  }
  return out;
}

}  // namespace baton::formats
