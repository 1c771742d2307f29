#include "commands/background.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <system_error>
#include <thread>

#include "common/loop.hpp"
#include "common/text.hpp"
#include "properties/atomic_file.hpp"

namespace baton::commands {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t poll_ms = 20;

std::vector<char*> as_arguments(const std::string& program, const std::vector<std::string>& words) {
  std::vector<char*> list{const_cast<char*>(program.c_str())};
  for (const std::string& word : words) list.push_back(const_cast<char*>(word.c_str()));
  list.push_back(nullptr);
  return list;
}

// In the child: only calls that are safe between fork and exec.
[[noreturn]] void become(const char* program, char* const* arguments, int console) {
  ::setsid();
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, STDIN_FILENO);
  ::dup2(console, STDOUT_FILENO);
  ::dup2(console, STDERR_FILENO);
  ::execv(program, arguments);
  ::_exit(127);
}

// The end of what a program printed, as one line.
std::string last_words(const fs::path& console) {
  const auto content = read_small_file(console);
  if (!content || trim(*content).empty()) return "it printed nothing";
  constexpr std::size_t lines_max = 3;
  auto lines = split(trim(*content), '\n');
  if (lines.size() > lines_max) lines.erase(lines.begin(), lines.end() - lines_max);
  return fmt::format("{}", fmt::join(lines, " / "));
}

bool has_ended(pid_t child) {
  int how = 0;
  return ::waitpid(child, &how, WNOHANG) == child;
}

result<int> open_console(const fs::path& console) {
  std::error_code failure;
  fs::create_directories(console.parent_path(), failure);
  const int descriptor = ::open(console.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor >= 0) return descriptor;
  return error{errno == EACCES ? errc::not_permitted : errc::io,
               fmt::format("{}: cannot be created: {}", console.native(), system_text(errno))};
}

}  // namespace

result<fs::path> program_beside(const std::string& name) {
  std::error_code failure;
  const fs::path self = fs::read_symlink("/proc/self/exe", failure);
  const fs::path program = self.parent_path() / name;
  if (!failure && ::access(program.c_str(), X_OK) == 0) return program;
  return error{errc::not_found,
               fmt::format("{}: is not there or cannot be run: install Baton again", program.native())};
}

result<pid_t> start_in_background(const background_start& what) {
  const auto program = program_beside(what.program);
  if (!program) return program.error();
  const auto console = open_console(what.console);
  if (!console) return console.error();
  const auto arguments = as_arguments(program->native(), what.words);
  const pid_t child = ::fork();
  if (child == 0) become(program->c_str(), arguments.data(), *console);
  ::close(*console);
  if (child < 0) return error{errc::io, fmt::format("{}: cannot be started: {}", what.program, system_text(errno))};
  bool ended = false, ready = false;
  wait_until(
      [&] {
        // Whether it is ready is asked first: a program may hand over to another and end.
        ready = what.ready(child);
        if (!ready) ended = has_ended(child);
        return ready || ended;
      },
      what.timeout_ms);
  if (ready) return child;
  if (ended) return error{errc::internal, fmt::format("{} ended at once: {}", what.program, last_words(what.console))};
  return error{errc::timed_out, fmt::format("{} (process {}) is not ready after {}: see {}", what.program, child,
                                            human_duration_ms(what.timeout_ms), what.console.native())};
}

error run_in_foreground(const std::string& program, const std::vector<std::string>& words) {
  const auto path = program_beside(program);
  if (!path) return path.error();
  std::fflush(stdout);
  ::execv(path->c_str(), as_arguments(path->native(), words).data());
  return {errc::io, fmt::format("{}: cannot be run: {}", path->native(), system_text(errno))};
}

bool wait_until(const std::function<bool()>& condition, std::int64_t timeout_ms) {
  const std::int64_t deadline = boot_time_ms() + timeout_ms;
  while (!condition()) {
    if (boot_time_ms() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(poll_ms));
  }
  return true;
}

}  // namespace baton::commands
