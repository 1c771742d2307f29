// Turns the words that people type into the one form that Boost.Program_options reads without guessing: "--key=value"
// for options, operands after "--". Done here, because "-w", "-w 30" and "-w -1" are all allowed, and because options
// of several letters begin with one dash.
#pragma once

#include <string>
#include <vector>

#include "commands/command.hpp"
#include "common/result.hpp"

namespace baton::commands {

struct normalised {
  bool help_wanted = false;
  std::vector<std::string> options;  // "--key" or "--key=value"
  std::vector<std::string> operands;
};

// errc::bad_usage: an unknown option, one that is not supported, a missing value, or a value where none is taken.
result<normalised> normalise(const command& declared, const std::vector<std::string>& words);

}  // namespace baton::commands
