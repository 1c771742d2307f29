// The administrator's scripts of an agent, for sites where the agent's user may not make queues.
#pragma once

#include <string>

#include "common/amqp/connection.hpp"

namespace baton::commands {

// Shell scripts of fteDefineQueue and fteDeleteQueue commands. `host_options` is put behind each: "-host h -port n".
std::string create_script(const std::string& agent, const std::string& qmgr, const std::string& host_options);
std::string delete_script(const std::string& agent, const std::string& qmgr, const std::string& host_options);

}  // namespace baton::commands
