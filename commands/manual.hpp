// Everything that is generated from the declarations of the commands. Pure; any thread.
#pragma once

#include <span>
#include <string>

#include "commands/command.hpp"

namespace baton::commands {

// "Usage: fteStopAgent [-i] [-m qmgr] [-p name] agent"
std::string usage_line(const command& c);
std::string help_text(const command& c);
std::string man_page(const command& c);                                   // troff, section 1
std::string commands_markdown(std::span<const command* const> commands);  // docs/commands.md
std::string bash_completion(std::span<const command* const> commands);
// One line for each command: what `fte` alone prints.
std::string overview(std::span<const command* const> commands);

// "-sa, --source-agent agent"
std::string option_words(const option& o);
// The help of an option, with its range or choices.
std::string option_help(const option& o);

}  // namespace baton::commands
