#include "common/amqp/proton_message.hpp"

#include <fmt/format.h>
#include <proton/codec.h>
#include <proton/delivery.h>
#include <proton/link.h>

#include <cstring>
#include <memory>
#include <proton/codec/decoder.hpp>
#include <proton/duration.hpp>
#include <proton/error_condition.hpp>
#include <proton/map.hpp>
#include <proton/message_id.hpp>
#include <proton/scalar.hpp>
#include <proton/sender.hpp>
#include <proton/symbol.hpp>
#include <proton/tracker.hpp>
#include <proton/types.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "common/amqp/dialect.hpp"

namespace baton::amqp {
namespace {

std::string id_text(const proton::message_id& id) {
  return id.empty() ? std::string() : proton::to_string(id);
}

// The C objects behind Proton's C++ ones: bodies are copied once then, and not byte by byte.
struct decoder_in_c : proton::codec::decoder {
  explicit decoder_in_c(const proton::value& of) : decoder(of) {}
  std::string_view bytes() const {
    pn_data_rewind(pn_object());
    if (!pn_data_next(pn_object())) return {};
    const bool text = pn_data_type(pn_object()) == PN_STRING;
    const pn_bytes_t found = text ? pn_data_get_string(pn_object()) : pn_data_get_binary(pn_object());
    return {found.start, found.size};
  }
};
struct sender_in_c : proton::sender {
  explicit sender_in_c(const proton::sender& s) : sender(s) {}
  pn_link_t* link() const { return pn_object(); }
};
struct tracker_in_c : proton::tracker {
  explicit tracker_in_c(const proton::tracker& t) : tracker(t) {}
  pn_delivery_t* delivery() const { return pn_object(); }
};

// A message without a body, as the library has it, and the start of the section that the body's bytes end: AMQP 1.0,
// part 3.2.8, and parts 1.6.19 and 1.6.20 for the binary value and the string. With fields it is the whole message.
std::vector<char> encode_head(const message& from, std::size_t body_bytes, const dialect& speech) {
  proton::message to;
  to.durable(from.durable);
  to.priority(speech.priority_to_wire(from.priority));
  if (from.ttl_ms > 0) to.ttl(proton::duration(from.ttl_ms));
  if (!from.id.empty()) to.id(from.id);
  if (!from.correlation_id.empty()) to.correlation_id(from.correlation_id);
  if (!from.subject.empty()) to.subject(from.subject);
  if (!from.reply_to.empty()) to.reply_to(speech.address_of(from.reply_to));
  if (!from.group_id.empty()) to.group_id(from.group_id);
  if (from.group_sequence > 0) to.group_sequence(static_cast<std::int32_t>(from.group_sequence));
  for (const auto& [key, text] : from.properties) to.properties().put(key, text);
  if (!from.fields.empty()) {
    to.body(from.fields);
    return to.encode();
  }
  std::vector<char> head = to.encode();
  constexpr std::string_view amqp_value("\x00\x53\x77", 3);
  head.insert(head.end(), amqp_value.begin(), amqp_value.end());
  head.push_back(from.text ? '\xb1' : '\xb0');  // str32-utf8, vbin32
  for (int shift = 24; shift >= 0; shift -= 8) head.push_back(static_cast<char>(body_bytes >> shift & 0xff));
  return head;
}

// Of a map; what has other keys than text or other values than scalars is passed over: anybody may send it, and an
// exception in a callback of the library would end the process.
std::map<std::string, std::string> scalars_of(const proton::value& body) {
  std::map<std::string, std::string> out;
  std::map<proton::value, proton::value> entries;
  try {
    proton::get(body, entries);
  } catch (const proton::error&) {
    return out;
  }
  for (const auto& [key, value] : entries) {
    if (key.type() != proton::STRING || !proton::type_id_is_scalar(value.type())) continue;
    out[proton::get<std::string>(key)] = value.empty() ? std::string() : proton::to_string(value);
  }
  return out;
}

}  // namespace

void send(const proton::sender& via, send_id id, const message& content, const dialect& speech) {
  std::string_view body = content.bulk.empty() ? std::string_view(content.body) : content.bulk;
  if (!content.fields.empty()) body = {};
  const std::vector<char> head = encode_head(content, body.size(), speech);
  pn_link_t* const link = sender_in_c(via).link();
  pn_delivery_t* const delivery = pn_delivery(link, pn_dtag(reinterpret_cast<const char*>(&id), sizeof id));
  pn_link_send(link, head.data(), head.size());
  if (!body.empty()) pn_link_send(link, body.data(), body.size());
  pn_link_advance(link);
  if (pn_link_snd_settle_mode(link) == PN_SND_SETTLED) pn_delivery_settle(delivery);
}

send_id sent_as(const proton::tracker& tracker) {
  const pn_delivery_tag_t tag = pn_delivery_tag(tracker_in_c(tracker).delivery());
  send_id id = 0;
  if (tag.size == sizeof id) std::memcpy(&id, tag.start, sizeof id);
  return id;
}

message from_proton(proton::message& from, const dialect& speech, bool stream) {
  message to;
  to.durable = from.durable();
  to.priority = speech.priority_from_wire(from.priority());
  to.ttl_ms = static_cast<std::uint32_t>(from.ttl().milliseconds());
  to.delivery_count = from.delivery_count();
  to.id = id_text(from.id());
  to.correlation_id = id_text(from.correlation_id());
  to.subject = from.subject();
  to.reply_to = speech.queue_of(from.reply_to());
  to.group_id = from.group_id();
  to.group_sequence = static_cast<std::uint32_t>(from.group_sequence());
  // Not as the library's map: that throws when a value is no scalar.
  const proton::value& properties = from.properties().value();
  if (properties.type() == proton::MAP) to.properties = scalars_of(properties);
  const proton::type_id kind = from.body().type();
  to.other = kind != proton::BINARY && kind != proton::STRING && kind != proton::NULL_TYPE;
  if (kind == proton::MAP) to.fields = scalars_of(from.body());
  if (kind != proton::BINARY && kind != proton::STRING) return to;
  if (stream) {
    const auto keeper = std::make_shared<proton::message>(std::move(from));
    to.bulk = held_bytes(decoder_in_c(keeper->body()).bytes(), keeper);
  } else {
    to.body = decoder_in_c(from.body()).bytes();
  }
  return to;
}

error to_error(const proton::error_condition& condition, const std::string& object, const dialect& speech) {
  const std::string name = condition.name();
  errc code = errc::unreachable;
  if (name == "amqp:not-found" || name == "amqp:resource-deleted") code = errc::not_found;
  if (name == "amqp:resource-locked" || name == "amqp:link:stolen") code = errc::in_use;
  if (name == "amqp:unauthorized-access" || name == "amqp:not-allowed") code = errc::not_permitted;
  if (name == "amqp:precondition-failed") code = errc::conflict;
  if (name == "amqp:link:message-size-exceeded") code = errc::bad_message;
  if (const auto special = speech.meaning_of(name, condition.description())) code = *special;
  return error{code, fmt::format("{}: {}{}{}", object, name, name.empty() ? "closed by the peer" : ": ",
                                 condition.description())};
}

}  // namespace baton::amqp
