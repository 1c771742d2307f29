// The administrator's scripts of an agent, for sites where the agent's user may not make queues.
#pragma once

#include <string>

#include "common/amqp/dialect.hpp"
#include "properties/connection.hpp"

namespace baton::commands {

// Shell scripts of whatever makes and removes queues on that kind of queue manager; on each, where there are several.
std::string create_script(const std::string& agent, const qmgr_connection& found);
std::string delete_script(const std::string& agent, const qmgr_connection& found);

}  // namespace baton::commands
