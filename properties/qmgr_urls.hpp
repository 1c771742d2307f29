// The list of queue managers that a property like agentQMgrUrls names: "amqp://one.example:5672,amqps://two.example".
// Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"

namespace baton {

struct qmgr_url {
  std::string host;
  std::uint16_t port = 0;  // 5672, or 5671 with TLS, when the URL names none
  bool tls = false;        // amqps
};

// In the order in which they are tried, separated by commas. errc::bad_property says which one is wrong, and why; what
// belongs into other properties (user, password, path) is refused, not passed over.
result<std::vector<qmgr_url>> parse_qmgr_urls(std::string_view list);

}  // namespace baton
