// baton-agent: one instance of one agent. Started by its controller; by itself only to look at something in a debugger.
#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include "agent/agent.hpp"
#include "agent/exit_codes.hpp"
#include "common/log.hpp"
#include "common/resources.hpp"
#include "common/signals.hpp"
#include "properties/connection.hpp"
#include "properties/layout.hpp"
#include "properties/pid_file.hpp"

namespace {

using namespace baton;
constexpr logger agent_log{"Agent"};

struct arguments {
  std::string name, coordination;
  bool foreground = false;
};

arguments parse(int count, char** words) {
  arguments a;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (word == "-p" && i + 1 < count)
      a.coordination = words[++i];
    else if (word == "-F")
      a.foreground = true;
    else
      a.name = word;
  }
  return a;
}

int cannot_run(const std::string& why) {
  agent_log(messages::BFGAG0906E, why);
  return agent::exit_cannot_run;
}

std::vector<amqp::connection_options> options_of(const qmgr_connection& found, const agent::settings& s,
                                                 const char* purpose) {
  std::vector<amqp::connection_options> all;
  for (const auto& peer : found.all()) {
    amqp::connection_options options;
    options.peer = peer;
    options.name = fmt::format("{}-{}", s.name, purpose);
    options.idle_timeout_ms = s.idle_timeout_ms;
    options.connect_timeout_ms = static_cast<std::uint32_t>(found.connect_timeout_ms);
    all.push_back(std::move(options));
  }
  return all;
}

// The controller holds the other end of this pipe: its end is the controller's end, however it came about.
void watch_controller(event_loop& loop, agent::agent& who) {
  const char* number = std::getenv("BATON_CONTROLLER_PIPE");
  if (number == nullptr) return;
  const int pipe = std::atoi(number);
  fcntl(pipe, F_SETFD, FD_CLOEXEC);
  std::thread([&loop, &who, pipe] {
    char byte = 0;
    while (read(pipe, &byte, 1) > 0 || errno == EINTR) {
    }
    loop.post([&who] {
      agent_log(messages::BFGAG0907W);
      who.stop(true);
    });
  }).detach();
}

void use_few_resources_and_many_files() {
  mallopt(M_ARENA_MAX, 2);
  keep_freed_memory();
  allow_many_files();
}

int run(const layout& where, const std::string& coordination, const property_set& properties) {
  const auto agent_settings = agent::make_settings(properties, where, coordination);
  for (const auto& fault : agent::faults_of(agent_settings)) agent_log(messages::BFGAG0923E, fault);
  if (!agent::faults_of(agent_settings).empty()) return agent::exit_cannot_run;
  const auto topology = property_set::read(where.coordination_properties(coordination), coordination_properties());
  if (!topology.ok()) return cannot_run(topology.failure().text);
  for (const auto& found :
       {agent_qmgr_connection(properties, where), coordination_qmgr_connection(topology.values, where)}) {
    if (!found && found.error().code == errc::bad_property) return cannot_run(found.error().text);
  }
  const auto file = where.agent_properties(coordination, agent_settings.name);

  signal_watch::block();

  // Never destroyed: the threads that wait for signals and for the controller refer to them until the process ends.
  event_loop& loop = *new event_loop;
  agent::agent::environment environment;
  environment.agent_qmgr = [properties, where, agent_settings]() -> result<std::vector<amqp::connection_options>> {
    const auto found = agent_qmgr_connection(properties, where);
    if (!found) return found.error();
    return options_of(*found, agent_settings, "agent");
  };
  environment.coordination_qmgr = [values = topology.values, where,
                                   agent_settings]() -> result<std::vector<amqp::connection_options>> {
    const auto found = coordination_qmgr_connection(values, where);
    if (!found) return found.error();
    return options_of(*found, agent_settings, "publisher");
  };
  environment.publishing = {topology.values.boolean("coordinationQMgrPriorityBackup"), agent_settings.qmgr_retry_ms,
                            topology.values.boolean("coordinationQMgrRandomize")};
  environment.quarantine = (where.agent_run(coordination, agent_settings.name) / "quarantine").string();
  environment.reload = [file, where, coordination]() -> std::optional<agent::settings> {
    const auto again = property_set::read(file, agent_properties());
    for (const auto& text : again.errors) agent_log(messages::BFGAG0909W, text);
    if (!again.ok()) return std::nullopt;
    return agent::make_settings(again.values, where, coordination);
  };
  // Not synced and on the loop's thread: a few bytes, which count only while this process runs.
  environment.role_changed = [path = where.agent_role(coordination, agent_settings.name)](const std::string& role) {
    const auto fresh = path.native() + ".new";
    std::ofstream(fresh) << role << " " << getpid() << "\n";
    std::error_code ignored;
    std::filesystem::rename(fresh, path, ignored);
  };
  agent::agent& instance = *new agent::agent(loop, agent_settings, std::move(environment));
  const signal_watch signals(loop, [&](int got) { got == SIGHUP ? instance.reload() : instance.stop(true); });
  watch_controller(loop, instance);
  instance.start();
  loop.run();
  return instance.exit_code();
}

int guarded_main(int count, char** words) {
  use_few_resources_and_many_files();
  const arguments asked = parse(count, words);
  if (asked.name.empty()) {
    std::cerr << "usage: baton-agent [-p configurationOptions] [-F] agentName\n";
    return agent::exit_cannot_run;
  }
  const auto where = layout::from_environment();
  if (!where) return cannot_run(where.error().text);
  const auto coordination = coordination_name(*where, asked.coordination);
  if (!coordination) return cannot_run(coordination.error().text);
  const auto read = property_set::read(where->agent_properties(*coordination, asked.name), agent_properties());
  log_options log;
  log.directory = where->agent_logs(*coordination, asked.name);
  log.to_stdout = asked.foreground;
  if (read.ok()) {
    log.files_max = static_cast<std::size_t>(read.values.integer("outputLogFiles"));
    log.file_bytes_max = static_cast<std::size_t>(read.values.integer("outputLogSize"));
  }
  if (const auto opened = open_log(log); !opened) return cannot_run(opened.error().text);
  log_options records{log.directory, "transferlog", "json"};
  if (read.ok()) {
    records.files_max = static_cast<std::size_t>(read.values.integer("logTransferFiles"));
    records.file_bytes_max = static_cast<std::size_t>(read.values.integer("logTransferFileSize"));
  }
  if (const auto opened = open_record_log(records); !opened) return cannot_run(opened.error().text);
  log_environment("Agent", count, words);
  for (const auto& text : read.warnings) agent_log(messages::BFGAG0909W, text);
  if (!read.ok()) return cannot_run(read.failure().text);
  const auto held = pid_file::acquire(where->agent_pid(*coordination, asked.name));
  if (!held) return cannot_run(held.error().text);
  return run(*where, *coordination, read.values);
}

}  // namespace

int main(int count, char** words) {
  int code = 1;
  try {
    code = guarded_main(count, words);
  } catch (const std::exception& failure) {
    agent_log(messages::BFGAG0906E, failure.what());
  }
  // The same threads: no static destructors under them.
  std::_Exit(code);
}
