// A message as the rest of Baton sees it: plain data, no library's type. The adapter of this folder turns it into the
// AMQP library's message and back.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "common/held_bytes.hpp"

namespace baton::amqp {

struct message {
  bool durable = true;
  std::uint8_t priority = 4;         // 0 to 9; AMQP's default is 4
  std::uint32_t ttl_ms = 0;          // 0: never expires
  std::uint32_t delivery_count = 0;  // earlier deliveries that failed; set by the broker
  std::string id;                    // message-id
  std::string correlation_id;
  std::string subject;   // what kind of message it is: docs/formats.md lists them
  std::string reply_to;  // address for answers, empty: none
  std::string group_id;
  std::uint32_t group_sequence = 0;
  std::map<std::string, std::string> properties;  // application properties, as text
  std::string body;    // any bytes; sent as one binary AMQP value (text subjects: JSON in UTF-8)
  bool text = false;   // the body is sent as an AMQP string: the management of some brokers wants it so
  bool other = false;  // what arrived has a body that is neither bytes nor text: it is not here
  // Sent as an AMQP map instead of the body, if there are any; what arrives as a map is here, its scalar values as
  // text.
  std::map<std::string, std::string> fields;
  held_bytes bulk;  // bytes of a stream, which are not copied: the body, if there are any
};

}  // namespace baton::amqp
