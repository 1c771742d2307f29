// Conversations with queue managers and, through them, with agents and the coordination service. Each blocks, with a
// deadline.
#pragma once

#include <string>

#include "commands/workspace.hpp"
#include "common/amqp/requester.hpp"
#include "common/formats/publications.hpp"
#include "common/formats/requests.hpp"
#include "common/result.hpp"

namespace baton::commands {

// The queue manager where an agent's queues are: the one that `qmgr` (an option, may be empty) names, else the one that
// the agent's own properties name when it is configured here, else the one that commands connect to.
result<amqp::endpoint> qmgr_of_agent(const workspace& work, const std::string& agent, const std::string& qmgr);

// A request to an agent, as a message: not durable and short-lived, so that nothing acts on it long after the command
// that sent it has gone.
amqp::message request_message(const workspace& work, const char* subject, std::string body, std::int64_t timeout_ms);

// Sends a request to an agent and waits for its last answer. errc::timed_out: the agent did not answer.
result<formats::reply> ask_agent(const workspace& work, const std::string& agent, const std::string& qmgr,
                                 const char* subject, const std::string& body, std::int64_t timeout_ms);

// errc::in_use when an instance of a highly available agent answers, from whichever host; an ordinary agent is not
// asked.
status nobody_active(const workspace& work, const std::string& agent);

// Asks the coordination service. An answer that says "not found" is an error.
result<formats::answer> ask_coordination(const workspace& work, const formats::query& question,
                                         std::int64_t timeout_ms);

// Who runs this command.
std::string user_name();

}  // namespace baton::commands
