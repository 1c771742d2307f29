#include "agent/channel/wire.hpp"

#include <fmt/format.h>

#include "common/bytes.hpp"

namespace baton::channel {
namespace {

constexpr std::string_view magic = "BTNC";
constexpr std::uint8_t version = 1;

status read_greeting(byte_reader& in) {
  if (in.take_bytes(magic.size()) != magic) return error{errc::bad_message, "it does not speak as an agent"};
  const auto found = in.take(1);
  if (found != version) {
    return error{errc::bad_message, fmt::format("it speaks version {}, this agent speaks {}", found, version)};
  }
  return done();
}

}  // namespace

std::string hello(std::string_view secret) {
  return welcome() + std::string(secret);
}

std::string welcome() {
  std::string out(magic);
  put_bytes(out, version, 1);
  return out;
}

std::string to_bytes(const message_head& head) {
  std::string out;
  put_bytes(out, head.length, 4);
  put_bytes(out, static_cast<std::uint8_t>(head.what), 1);
  return out;
}

result<std::string> read_hello(std::string_view bytes) {
  byte_reader in{bytes};
  if (const auto greeted = read_greeting(in); !greeted) return greeted.error();
  const auto secret = in.take_bytes(secret_bytes);
  if (!in.ok) return error{errc::bad_message, "its greeting is too short"};
  return std::string(secret);
}

status read_welcome(std::string_view bytes) {
  byte_reader in{bytes};
  return read_greeting(in);
}

result<message_head> read_head(std::string_view bytes) {
  byte_reader in{bytes};
  const auto length = in.take(4);
  const auto what = in.take(1);
  if (!in.ok || length > body_bytes_max || (what != 1 && what != 2)) {
    return error{errc::bad_message, fmt::format("it sent a message of kind {} and {} bytes", what, length)};
  }
  return message_head{static_cast<std::uint32_t>(length), static_cast<kind>(what)};
}

}  // namespace baton::channel
