#include "common/amqp/proton_message.hpp"

#include <fmt/format.h>
#include <proton/codec.h>

#include <proton/binary.hpp>
#include <proton/codec/decoder.hpp>
#include <proton/duration.hpp>
#include <proton/error_condition.hpp>
#include <proton/map.hpp>
#include <proton/message_id.hpp>
#include <proton/scalar.hpp>
#include <proton/symbol.hpp>
#include <proton/types.hpp>
#include <string_view>

#include "common/amqp/dialect.hpp"

namespace baton::amqp {
namespace {

std::string id_text(const proton::message_id& id) {
  return id.empty() ? std::string() : proton::to_string(id);
}

// Between bytes and characters at once: range constructors would take them one by one.
proton::binary to_binary(std::string_view text) {
  const auto* const first = reinterpret_cast<const std::uint8_t*>(text.data());
  return {first, first + text.size()};
}

// The C object behind Proton's C++ one: what it gives is copied once and not byte by byte.
struct decoder_in_c : proton::codec::decoder {
  explicit decoder_in_c(const proton::value& of) : decoder(of) {}
  std::string binary() const {
    pn_data_rewind(pn_object());
    if (!pn_data_next(pn_object())) return {};
    const pn_bytes_t bytes = pn_data_get_binary(pn_object());
    return {bytes.start, bytes.size};
  }
};

std::string body_bytes(const proton::value& body) {
  switch (body.type()) {
    case proton::BINARY:
      return decoder_in_c(body).binary();
    case proton::STRING:
      return proton::get<std::string>(body);
    default:
      return {};
  }
}

}  // namespace

proton::message to_proton(message&& from, const dialect& speech) {
  proton::message to;
  to.durable(from.durable);
  to.priority(speech.priority_to_wire(from.priority));
  if (from.ttl_ms > 0) to.ttl(proton::duration(from.ttl_ms));
  if (!from.id.empty()) to.id(from.id);
  if (!from.correlation_id.empty()) to.correlation_id(from.correlation_id);
  if (!from.subject.empty()) to.subject(from.subject);
  if (!from.reply_to.empty()) to.reply_to(speech.address_of(from.reply_to));
  if (!from.group_id.empty()) to.group_id(from.group_id);
  for (auto& [key, text] : from.properties) to.properties().put(key, text);
  to.body(to_binary(from.body));
  return to;
}

message from_proton(proton::message& from, const dialect& speech) {
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
  std::map<std::string, proton::scalar> properties;
  proton::get(from.properties(), properties);
  for (const auto& [key, text] : properties) to.properties[key] = proton::to_string(text);
  to.body = body_bytes(from.body());
  return to;
}

error to_error(const proton::error_condition& condition, const std::string& object) {
  const std::string name = condition.name();
  errc code = errc::unreachable;
  if (name == "amqp:not-found" || name == "amqp:resource-deleted") code = errc::not_found;
  if (name == "amqp:resource-locked" || name == "amqp:link:stolen") code = errc::in_use;
  if (name == "amqp:unauthorized-access" || name == "amqp:not-allowed") code = errc::not_permitted;
  // RabbitMQ says the same for a queue that is declared otherwise and for a delivery that was held too long.
  const bool held_too_long = condition.description().find("timed out") != std::string::npos;
  if (name == "amqp:precondition-failed") code = held_too_long ? errc::timed_out : errc::conflict;
  if (name == "amqp:link:message-size-exceeded") code = errc::bad_message;
  return error{code, fmt::format("{}: {}{}{}", object, name, name.empty() ? "closed by the peer" : ": ",
                                 condition.description())};
}

}  // namespace baton::amqp
