#include "agent/transfer/program.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "agent/transfer/file.hpp"
#include "common/loop.hpp"
#include "common/messages/message.hpp"
#include "common/text.hpp"

namespace baton::transfer {
namespace {

constexpr int look_ms = 100;  // how soon it is noticed that it has to stop

// A child process with what it writes.
struct child {
  pid_t pid = -1;
  descriptor output, process;
};

class spawn_settings {
 public:
  explicit spawn_settings(int output) {
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, output, 1);
    posix_spawn_file_actions_adddup2(&files, output, 2);
    posix_spawn_file_actions_addclosefrom_np(&files, 3);
    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);  // a group of its own, to be ended as one
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~spawn_settings() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
  spawn_settings(const spawn_settings&) = delete;
  spawn_settings& operator=(const spawn_settings&) = delete;

  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
};

std::vector<char*> as_list(std::vector<std::string>& words) {
  std::vector<char*> list;
  for (auto& word : words) list.push_back(word.data());
  list.push_back(nullptr);
  return list;
}

int start(const std::string& path, const formats::program_call& call,
          const std::map<std::string, std::string>& environment, child& made) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return errno;
  made.output = descriptor(ends[0]);
  const descriptor writing(ends[1]);
  std::vector<std::string> words{path}, variables;
  words.insert(words.end(), call.arguments.begin(), call.arguments.end());
  for (char** one = environ; *one != nullptr; ++one) variables.emplace_back(*one);
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
  const spawn_settings with(writing.number());
  pid_t pid = -1;  // a failure may leave anything in it
  const int failure =
      posix_spawn(&pid, path.c_str(), &with.files, &with.attributes, as_list(words).data(), as_list(variables).data());
  if (failure != 0) return failure;
  made.pid = pid;
  made.process = descriptor(static_cast<int>(syscall(SYS_pidfd_open, made.pid, 0)));
  return 0;
}

// What is there to read; false: nothing more will come.
bool read_output(const descriptor& from, std::size_t most, std::string& to) {
  char buffer[4096];
  const ssize_t count = ::read(from.number(), buffer, sizeof buffer);
  if (count <= 0) return count < 0 && (errno == EINTR || errno == EAGAIN);
  to.append(buffer, std::min(static_cast<std::size_t>(count), most - std::min(most, to.size())));
  return true;
}

// Until the program has ended, whether something that it started still writes or not. False: it had to be ended.
bool wait_for(const child& running, const agent::program_settings& limits, const std::atomic<bool>& stopped,
              std::string& output) {
  fcntl(running.output.number(), F_SETFL, O_NONBLOCK);
  const std::int64_t end_ms = boot_time_ms() + limits.wait_ms;
  bool writes = true;
  for (;;) {
    pollfd watched[2] = {{running.process.number(), POLLIN, 0}, {writes ? running.output.number() : -1, POLLIN, 0}};
    ::poll(watched, 2, look_ms);
    if (watched[1].revents != 0) writes = read_output(running.output, limits.output_max, output);
    if (watched[0].revents != 0) break;
    if (stopped || boot_time_ms() >= end_ms) {
      ::kill(-running.pid, SIGKILL);
      return false;
    }
  }
  for (pollfd rest{running.output.number(), POLLIN, 0}; writes && ::poll(&rest, 1, 0) > 0;) {
    writes = read_output(running.output, limits.output_max, output);
  }
  return true;
}

std::string text_of(std::string output) {
  const auto end = output.find_last_not_of(" \t\r\n");
  output.resize(end == std::string::npos ? 0 : end + 1);
  return escape_control(output);
}

bool is_inside(const std::filesystem::path& directory, const std::filesystem::path& file) {
  return std::mismatch(directory.begin(), directory.end(), file.begin(), file.end()).first == directory.end();
}

}  // namespace

std::string find_program(const std::string& command, const std::vector<std::string>& path, std::string& why) {
  namespace fs = std::filesystem;
  why = path.empty() ? "commandPath is empty" : "it is not in any directory of commandPath";
  for (const std::string& entry : path) {
    std::error_code failure;
    const fs::path directory = fs::canonical(entry, failure);
    if (failure) continue;
    const fs::path file = fs::canonical(directory / command, failure);
    if (failure || !is_inside(directory, file)) continue;
    if (fs::is_regular_file(file, failure) && ::access(file.c_str(), X_OK) == 0) return file.native();
    why = "it is not an executable file";
  }
  return {};
}

program_end run_program(const formats::program_call& call, const agent::program_settings& limits,
                        const std::map<std::string, std::string>& environment, const std::atomic<bool>& stopped) {
  program_end end;
  const std::string name = name_to_text(call.command);
  std::string why;
  const std::string path = find_program(call.command, limits.path, why);
  child running;
  if (!path.empty()) {
    if (const int failure = start(path, call, environment, running)) why = system_text(failure);
  }
  if (running.pid < 0) {
    end.failure = render(messages::BFGTR0040E, name, why);
    return end;
  }
  std::string output;
  const bool by_itself = wait_for(running, limits, stopped, output);
  int status = 0;
  while (waitpid(running.pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) {
    const auto success = formats::is_success(call.success, WEXITSTATUS(status));
    end.success = success && *success;
    end.how = fmt::format("ended with exit code {}", WEXITSTATUS(status));
  } else {
    end.how = by_itself ? fmt::format("was ended with signal {}", WTERMSIG(status))
              : stopped ? "was stopped"
                        : fmt::format("was stopped after {} (maxCommandWait)", human_duration_ms(limits.wait_ms));
  }
  if (!end.success) end.failure = render(messages::BFGTR0041E, name, end.how, text_of(output));
  return end;
}

}  // namespace baton::transfer
