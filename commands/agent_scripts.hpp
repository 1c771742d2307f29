// The administrator's scripts of an agent, for sites where the agent's user may not make queues.
#pragma once

#include <string>

#include "common/amqp/dialect.hpp"

namespace baton::commands {

// Shell scripts of whatever makes and removes queues on that kind of queue manager.
std::string create_script(const std::string& agent, const amqp::script_target& target, amqp::broker_kind kind);
std::string delete_script(const std::string& agent, const amqp::script_target& target, amqp::broker_kind kind);

}  // namespace baton::commands
