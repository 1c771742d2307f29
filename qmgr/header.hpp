// The header section of an AMQP message (AMQP 1.0 part 3, section 3.2.1), read and written as bytes. It is the only
// section that a queue manager may change on the way: what follows it is passed on untouched, as the standard demands
// of the bare message, and is never decoded. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace baton::qmgr {

struct header {
  bool durable = false;
  std::uint8_t priority = 4;  // 0 to 9; larger ones of a peer count as 9
  std::uint32_t ttl_ms = 0;   // 0: never expires
  std::uint32_t delivery_count = 0;
};

struct parsed_header {
  header values;
  std::size_t length = 0;  // bytes of the section at the start of the message; 0: it has none
};

// Nothing when the bytes start like a header section but are not one.
std::optional<parsed_header> read_header(std::string_view message);

// The section as bytes; first-acquirer follows from the delivery count.
std::string write_header(const header& values);

}  // namespace baton::qmgr
