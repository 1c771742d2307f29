// Starting Baton's other programs, which stand beside this one.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "common/result.hpp"

namespace baton::commands {

// The path of a program in the directory of this one; errc::not_found when it is not there.
result<std::filesystem::path> program_beside(const std::string& name);

struct background_start {
  std::string program;  // "baton-qmgr"
  std::vector<std::string> words;
  std::filesystem::path console;     // file that gets what it prints; its directory is made
  std::function<bool(pid_t)> ready;  // asked again and again, with the process id
  std::int64_t timeout_ms = 10000;   // until ready
};

// Starts a program in a session of its own, without a terminal, and waits until it is ready. When it ends before that,
// the error has the last lines that it printed. errc::timed_out: it runs and is not ready yet.
result<pid_t> start_in_background(const background_start& what);

// Becomes the program; comes back only with an error.
error run_in_foreground(const std::string& program, const std::vector<std::string>& words);

// True when the condition held before the time was over. Looks at it every few milliseconds.
bool wait_until(const std::function<bool()>& condition, std::int64_t timeout_ms);

}  // namespace baton::commands
