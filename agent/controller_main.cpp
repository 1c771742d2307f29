// baton-controller: starts an agent, starts it again when it dies, and says in pcevent0.log what it did.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <string>
#include <thread>

#include "agent/controller.hpp"
#include "common/log.hpp"
#include "common/loop.hpp"
#include "common/text.hpp"
#include "properties/layout.hpp"
#include "properties/pid_file.hpp"
#include "properties/property_set.hpp"

namespace {

using namespace baton;
using namespace baton::agent;
constexpr logger controller_log{"Controller"};

struct arguments {
  std::string name, coordination;
  bool foreground = false;
};

int cannot_run(const std::string& why) {
  controller_log(messages::BFGPC0906E, why);
  return 1;
}

class controller {
 public:
  controller(arguments asked, std::string program, controller_limits limits, sigset_t set)
      : asked_(std::move(asked)), program_(std::move(program)), machine_(limits), set_(set) {
    // The agent holds the reading end: when this process ends, however, the agent reads the end of the pipe.
    if (pipe2(pipe_, O_CLOEXEC) != 0) throw std::runtime_error("no pipe: " + system_text(errno));
  }

  int run() {
    for (;;) {
      start_agent();
      const int code = wait_for_agent();
      const auto decision = machine_.agent_ended(code, boot_time_ms());
      if (std::holds_alternative<controller_decision::end>(decision) || told_to_stop_) return code > 0 ? 1 : 0;
      if (const auto* enough = std::get_if<controller_decision::give_up>(&decision)) {
        controller_log(messages::BFGPC0903E, asked_.name, enough->ends, interval_s_);
        return 1;
      }
      const auto& again = std::get<controller_decision::start_again>(decision);
      if (!again.waits_for_qmgr)
        controller_log(messages::BFGPC0902W, asked_.name, human_duration_ms(again.delay_ms));
      else
        controller_log(messages::BFGPC0905I, "of the agent", asked_.name, human_duration_ms(again.delay_ms));
      if (!wait_for(again.delay_ms)) return 0;
    }
  }
  void set_interval(std::int64_t seconds) { interval_s_ = seconds; }

 private:
  void start_agent() {
    const std::string restarts = std::to_string(machine_.restarts()), end = std::to_string(pipe_[0]);
    std::vector<std::string> words{program_, "-p", asked_.coordination};
    if (asked_.foreground) words.push_back("-F");
    words.push_back(asked_.name);
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    child_ = fork();
    if (child_ == 0) {
      fcntl(pipe_[0], F_SETFD, 0);
      setenv("BATON_CONTROLLER_PIPE", end.c_str(), 1);
      setenv("BATON_RESTARTS", restarts.c_str(), 1);
      sigprocmask(SIG_UNBLOCK, &set_, nullptr);
      execv(program_.c_str(), argv.data());
      _exit(exec_failed);
    }
    if (child_ < 0) throw std::runtime_error("no process: " + system_text(errno));
    controller_log(messages::BFGPC0901I, asked_.name, child_);
  }

  // Until the agent has ended; passes SIGTERM and SIGHUP on meanwhile. Its exit code, or -1 for a signal.
  int wait_for_agent() {
    for (;;) {
      int how = 0;
      if (waitpid(child_, &how, WNOHANG) == child_) return said(how);
      int signal = 0;
      sigwait(&set_, &signal);
      pass_on(signal);
    }
  }

  int said(int how) {
    const pid_t pid = std::exchange(child_, 0);
    if (WIFSIGNALED(how)) {
      controller_log(messages::BFGPC0004I, asked_.name, pid,
                     fmt::format("by signal {} ({})", WTERMSIG(how), strsignal(WTERMSIG(how))));
      return -1;
    }
    const int code = WEXITSTATUS(how);
    controller_log(messages::BFGPC0004I, asked_.name, pid, fmt::format("exit code {}", code));
    return code;
  }

  void pass_on(int signal) {
    if (signal == SIGCHLD) return;
    if (signal != SIGHUP) told_to_stop_ = true;
    if (child_ > 0) kill(child_, signal == SIGHUP ? SIGHUP : SIGTERM);
  }

  // False when it was told to stop meanwhile.
  bool wait_for(std::int64_t delay_ms) {
    const std::int64_t deadline = boot_time_ms() + delay_ms;
    while (!told_to_stop_ && boot_time_ms() < deadline) {
      const std::int64_t left = deadline - boot_time_ms();
      const timespec patience{left / 1000, left % 1000 * 1000000};
      const int signal = sigtimedwait(&set_, nullptr, &patience);
      if (signal > 0) pass_on(signal);
    }
    return !told_to_stop_;
  }

  static constexpr int exec_failed = 127;
  const arguments asked_;
  const std::string program_;
  controller_machine machine_;
  const sigset_t set_;
  std::int64_t interval_s_ = 120;
  int pipe_[2] = {-1, -1};
  pid_t child_ = 0;
  bool told_to_stop_ = false;
};

controller_limits limits_of(const property_set& properties) {
  controller_limits limits;
  limits.restarts_max = static_cast<int>(properties.integer("maxRestartCount"));
  limits.interval_ms = properties.milliseconds("maxRestartInterval");
  limits.restart_delay_ms = properties.milliseconds("maxRestartDelay");
  limits.qmgr_retry_ms = properties.milliseconds("agentQMgrRetryInterval");
  return limits;
}

int guarded_main(int count, char** words) {
  arguments asked;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (word == "-p" && i + 1 < count)
      asked.coordination = words[++i];
    else if (word == "-F")
      asked.foreground = true;
    else
      asked.name = word;
  }
  if (asked.name.empty()) {
    std::cerr << "usage: baton-controller [-p configurationOptions] [-F] agentName\n";
    return 1;
  }
  const auto where = layout::from_environment();
  if (!where) return cannot_run(where.error().text);
  const auto coordination = coordination_name(*where, asked.coordination);
  if (!coordination) return cannot_run(coordination.error().text);
  asked.coordination = *coordination;
  const auto read = property_set::read(where->agent_properties(*coordination, asked.name), agent_properties());
  if (!read.ok()) return cannot_run(read.failure().text);
  log_options log;
  log.directory = where->agent_logs(*coordination, asked.name);
  log.base_name = "pcevent";
  log.files_max = static_cast<std::size_t>(read.values.integer("outputLogFiles"));
  log.file_bytes_max = static_cast<std::size_t>(read.values.integer("outputLogSize"));
  const auto held = pid_file::acquire(where->controller_pid(*coordination, asked.name));
  if (!held) return cannot_run(held.error().text);
  if (const auto opened = open_log(log); !opened) return cannot_run(opened.error().text);

  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&set, signal);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  controller_log(messages::BFGPC0003I, asked.name, getpid());
  const auto program = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "baton-agent";
  controller runner(asked, program.string(), limits_of(read.values), set);
  runner.set_interval(read.values.milliseconds("maxRestartInterval") / 1000);
  const int code = runner.run();
  controller_log(messages::BFGPC0904I, asked.name);
  return code;
}

}  // namespace

int main(int count, char** words) {
  try {
    return guarded_main(count, words);
  } catch (const std::exception& failure) {
    return cannot_run(failure.what());
  }
}
