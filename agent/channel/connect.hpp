// The way from a source to the listener of a destination. Loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "agent/channel/direct_channel.hpp"

namespace baton::channel {

struct target {
  std::string address;  // numeric
  std::uint16_t port = 0;
  std::string secret;  // hex
  std::string name;    // with TLS: what the certificate must say; empty: clear text
};

// `then` gets the connection when it is welcome, or why there is none, within 5 seconds.
void connect(event_loop& loop, const std::shared_ptr<runtime>& thread, const target& to,
             std::function<void(result<std::unique_ptr<direct_channel>>)> then);

}  // namespace baton::channel
