// The processes of an agent that is configured on this host.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "commands/workspace.hpp"

namespace baton::commands {

// The controller of the agent, if it runs; without a controller, the agent itself.
std::optional<pid_t> running_controller(const workspace& work, const std::string& agent);
std::optional<pid_t> running_agent(const workspace& work, const std::string& agent);
// "starting", "standby", "active" or "stopped", as the running instance of this host says; empty: none runs.
std::string local_role(const workspace& work, const std::string& agent);
bool is_running(const workspace& work, const std::string& agent);

}  // namespace baton::commands
