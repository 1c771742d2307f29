// Asking an embedded queue manager's management. Blocks, with a deadline.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "common/amqp/connection.hpp"
#include "common/result.hpp"
#include "properties/connection.hpp"

namespace baton::commands {

constexpr std::int64_t answer_timeout_ms = 5000;  // commands wait this long unless told otherwise

// Options of a connection for one command: it is given up within the timeout.
amqp::connection_options command_connection(const amqp::endpoint& peer, std::int64_t timeout_ms = answer_timeout_ms);

// Of a list the first queue manager that answers, as the only one; a list of one is not asked. An error of the last one
// when none does.
result<qmgr_connection> first_that_answers(result<qmgr_connection> found, std::int64_t timeout_ms = answer_timeout_ms);

// The body of the answer. Errors: of the connection, or what the queue manager answered (404: errc::not_found, ...).
result<nlohmann::json> ask_qmgr(const amqp::endpoint& peer, const std::string& operation, const nlohmann::json& body,
                                std::int64_t timeout_ms = answer_timeout_ms);

}  // namespace baton::commands
