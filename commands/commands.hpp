// The declaration of every command, each defined in a file of its own, and the few functions that they share.
#pragma once

#include <string>

#include "commands/arguments.hpp"
#include "commands/command.hpp"
#include "common/result.hpp"
#include "properties/layout.hpp"

namespace baton::commands {

extern const command setup_coordination, setup_commands, change_default, create_agent, modify_agent, delete_agent,
    obfuscate_credentials, start_qmgr, stop_qmgr, show_qmgr, define_queue, delete_queue, start_coordination,
    stop_coordination, start_agent, stop_agent, ping_agent, list_agents, show_agent, clean_agent, create_transfer,
    cancel_transfer, list_transfers, show_transfer, display_version;

// Writes installation.properties, keeping what else it says.
status set_default_configuration(const layout& where, const std::string& coordination);

}  // namespace baton::commands
