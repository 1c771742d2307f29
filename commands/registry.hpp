// Every command of the program.
#pragma once

#include <span>
#include <string_view>

#include "commands/command.hpp"

namespace baton::commands {

// In the order that people need them: set up, run, transfer, look, clean.
std::span<const command* const> all_commands();

// Null when there is none. Upper and lower case are the same: "ftestartagent" works.
const command* find_command(std::string_view name);

// The command that is spelled most like this; null when none is near.
const command* nearest_command(std::string_view name);

}  // namespace baton::commands
