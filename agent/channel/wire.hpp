// The bytes of a direct connection between two agents; docs/formats.md has the layout. Pure; any thread.
//
//   source -> destination   hello   = "BTNC" version:u8 secret:32 bytes
//   destination -> source   welcome = "BTNC" version:u8
//   then both ways          message = length:u32 kind:u8 body ; kind 1: a frame, 2: an acknowledgement in JSON
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/result.hpp"

namespace baton::channel {

enum class kind : std::uint8_t { frame = 1, ack = 2 };

struct message_head {
  std::uint32_t length = 0;  // of the body
  kind what = kind::frame;
};

inline constexpr std::size_t secret_bytes = 32;
inline constexpr std::size_t hello_bytes = 4 + 1 + secret_bytes;
inline constexpr std::size_t welcome_bytes = 4 + 1;
inline constexpr std::size_t head_bytes = 4 + 1;
// The largest agentChunkSize and what may stand around it; who sends more is not an agent.
inline constexpr std::uint32_t body_bytes_max = 24 << 20;

std::string hello(std::string_view secret);
std::string welcome();
std::string to_bytes(const message_head& head);

// errc::bad_message with what is wrong.
result<std::string> read_hello(std::string_view bytes);  // the secret
status read_welcome(std::string_view bytes);
result<message_head> read_head(std::string_view bytes);

}  // namespace baton::channel
