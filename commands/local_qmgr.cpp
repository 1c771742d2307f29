#include "commands/local_qmgr.hpp"

#include <system_error>

#include "commands/background.hpp"
#include "commands/console.hpp"
#include "commands/qmgr_instances.hpp"
#include "common/text.hpp"
#include "properties/atomic_file.hpp"
#include "properties/pid_file.hpp"

namespace baton::commands {

std::string local_qmgr_address(const layout& where, const std::string& name) {
  const auto content = read_small_file(where.qmgr_address(name));
  return content ? trim(*content) : std::string();
}

namespace {

bool stands_by(const layout& where, const std::string& name, pid_t process) {
  const auto instances = instances_of_qmgr(where, name);
  return instances && *instances && (*instances)->state_of(process) == formats::qmgr_instance_state::standby &&
         (*instances)->active() != nullptr;
}

}  // namespace

status start_local_qmgr(const layout& where, const std::string& name, const std::vector<std::string>& words,
                        std::int64_t timeout_ms) {
  std::error_code ignored;
  std::filesystem::remove(where.qmgr_address(name), ignored);  // one that a killed process left behind
  background_start what{"baton-qmgr", {name}, where.qmgr_logs(name) / "console.log", {}, timeout_ms};
  what.words.insert(what.words.end(), words.begin(), words.end());
  what.ready = [&](pid_t process) {
    if (pid_file_holder(where.qmgr_pid(name)) != process) return false;
    return !local_qmgr_address(where, name).empty() || stands_by(where, name, process);
  };
  const auto started = start_in_background(what);
  if (!started) return started.error();
  if (const std::string address = local_qmgr_address(where, name); !address.empty()) {
    say(messages::BFGCL0920I, name, *started, address);
  } else {
    say_standby(messages::BFGCL0970I, where, name, *started);
  }
  say(messages::BFGCL0922I, where.qmgr_logs(name).native());
  return done();
}

void say_standby(const message& text, const layout& where, const std::string& name, pid_t process) {
  const auto instances = instances_of_qmgr(where, name);
  if (!instances || !*instances) return;
  say(text, name, (*instances)->own, process, in_words((*instances)->active()));
}

status ensure_local_qmgr(const layout& where, const std::string& name) {
  constexpr std::int64_t timeout_ms = 15000;
  const auto is_up = [&] { return pid_file_holder(where.qmgr_pid(name)).has_value(); };
  if (is_up()) return done();
  const auto instances = instances_of_qmgr(where, name);
  if (!instances) return instances.error();
  auto started = start_local_qmgr(where, name, *instances ? std::vector<std::string>{"-x"} : std::vector<std::string>{},
                                  timeout_ms);
  // Several agents that start together all find none running; one of them wins, and that is good enough for the others.
  if (!started && is_up()) return done();
  return started;
}

}  // namespace baton::commands
