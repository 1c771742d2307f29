// Runs one program to its end. Blocking: a thread of program_runner.
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "agent/settings.hpp"
#include "common/formats/program_call.hpp"

namespace baton::transfer {

struct program_end {
  bool success = false;
  std::string how;      // "ended with exit code 3", "was ended with signal 9"; empty: it was not run
  std::string failure;  // a rendered message when it was not successful
};

// `environment` is added to the agent's own. When `stopped` turns true the program and all that it has started is ended
// with a signal, and likewise when it runs longer than it may.
program_end run_program(const formats::program_call& call, const agent::program_settings& limits,
                        const std::map<std::string, std::string>& environment, const std::atomic<bool>& stopped);

// Where the program is: an absolute path without symbolic links, below one of the directories. Empty, and `why` says
// what is wrong.
std::string find_program(const std::string& command, const std::vector<std::string>& path, std::string& why);

}  // namespace baton::transfer
