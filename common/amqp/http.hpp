// One HTTP request, for the management API of brokers that have one. Included by dialects only.
#pragma once

#include <cstdint>
#include <string>

#include "common/amqp/connection.hpp"
#include "common/result.hpp"

namespace baton::amqp {

struct http_request {
  std::string method;  // GET, PUT, DELETE, ...
  std::string url;
  std::string user, password;  // Basic authentication
  tls_files tls;               // for https; without trust the system's authorities count
  std::string body;            // JSON; empty: none
};

struct http_answer {
  int status = 0;
  std::string body;  // at most 1 MiB; what is longer is cut off
};

// Blocks up to the timeout; any thread. Neither proxies of the environment nor redirections are used: the address is
// the administrator's. Errors: errc::unreachable, timed_out; an answer of any status is no error.
result<http_answer> http_call(const http_request& request, std::int64_t timeout_ms);

}  // namespace baton::amqp
