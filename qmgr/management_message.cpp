#include "qmgr/management_message.hpp"

#include <fmt/format.h>
#include <proton/binary.hpp>
#include <proton/codec/map.hpp>
#include <proton/message.hpp>
#include <proton/scalar.hpp>
#include <proton/types.hpp>

#include <algorithm>
#include <exception>
#include <vector>

namespace baton::qmgr {
namespace {

std::string text_property(const proton::message& message, const char* name) {
  const proton::message::property_map& properties = message.properties();
  return properties.exists(name) ? proton::coerce<std::string>(properties.get(name)) : "";
}

std::string text_of(const proton::value& body) {
  switch (body.type()) {
    case proton::NULL_TYPE:
      return "";
    case proton::STRING:
      return proton::get<std::string>(body);
    case proton::BINARY: {
      const auto bytes = proton::get<proton::binary>(body);
      return {bytes.begin(), bytes.end()};
    }
    default:
      throw std::invalid_argument("the body is neither text nor bytes");
  }
}

}  // namespace

status read_request(std::string_view bytes, management_request& request) {
  try {
    proton::message message;
    message.decode(std::vector<char>(bytes.begin(), bytes.end()));
    request.reply_to = message.reply_to();
    request.correlation = message.correlation_id().empty() ? message.id() : message.correlation_id();
    request.operation = text_property(message, "operation");
    request.queue = text_property(message, "queue");
    request.body = text_of(message.body());
    return done();
  } catch (const std::exception& failure) {
    return error{errc::bad_message, fmt::format("the request cannot be read: {}", failure.what())};
  }
}

payload_ptr write_reply(const management_request& request, const management_reply& reply) {
  proton::message message;
  message.to(request.reply_to);
  if (!request.correlation.empty()) message.correlation_id(request.correlation);
  message.properties().put("status", std::to_string(reply.status));
  message.properties().put("description", reply.description);
  message.body() = proton::binary(reply.body);
  std::vector<char> bytes;
  bytes.reserve(reply.body.size() + 1024);  // the encoder doubles what it is given until it fits
  bytes.resize(bytes.capacity());
  message.encode(bytes);
  auto made = std::make_shared<payload>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), made->data());
  return made;
}

}  // namespace baton::qmgr
