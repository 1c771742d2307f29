// fteStartAgent: starts the controller of an agent, which starts the agent.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "commands/agent_process.hpp"
#include "commands/background.hpp"
#include "commands/commands.hpp"
#include "commands/console.hpp"
#include "commands/conversation.hpp"
#include "commands/local_qmgr.hpp"
#include "common/loop.hpp"
#include "common/text.hpp"
#include "properties/names.hpp"

namespace baton::commands {
namespace {

constexpr std::int64_t retry_ms = 200, role_poll_ms = 2;
constexpr option options[] = {
    configuration_option,
    {"F", "foreground", option_kind::flag, "", "Stay in front and print the log."},
    {"t", "timeout", option_kind::number, "seconds",
     "Time to wait until the agent is ready. Default: 10. When it is over the agent goes on starting.", false, false,
     false, 1, 86400},
};

// Ready is who stands by, or who is active and answers: it then takes requests. Another host's instance would answer
// too.
bool wait_until_ready(const workspace& work, const std::string& agent, std::int64_t timeout_ms) {
  const std::int64_t deadline = boot_time_ms() + timeout_ms;
  while (boot_time_ms() < deadline && running_controller(work, agent)) {
    const std::string role = local_role(work, agent);
    if (role == "standby") return true;
    if (role != "active") {
      std::this_thread::sleep_for(std::chrono::milliseconds(role_poll_ms));
      continue;
    }
    const std::int64_t patience = std::clamp<std::int64_t>(deadline - boot_time_ms(), 1, 1000);
    if (ask_agent(work, agent, "", formats::subject::agent_ping, "", patience)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(retry_ms));
  }
  return false;
}

int start(const workspace& work, const std::string& agent, std::int64_t timeout_ms) {
  const auto logs = work.where.agent_logs(work.coordination, agent);
  background_start what{"baton-controller", {"-p", work.coordination, agent}, logs / "console.log", {}, timeout_ms};
  what.ready = [&](pid_t process) { return running_controller(work, agent) == process; };
  const std::int64_t deadline = boot_time_ms() + timeout_ms;
  const auto started = start_in_background(what);
  if (!started) return fail(started.error());
  say(messages::BFGCL0030I, agent);
  say(messages::BFGCL0031I, logs.native());
  if (wait_until_ready(work, agent, deadline - boot_time_ms())) {
    if (local_role(work, agent) == "standby")
      say(messages::BFGCL0962I, agent);
    else
      say(messages::BFGCL0932I, agent);
    return 0;
  }
  if (running_controller(work, agent)) {
    complain(messages::BFGCL0933W, agent, human_duration_ms(timeout_ms), (logs / "output0.log").native());
    return 0;
  }
  return fail({errc::internal, fmt::format("the agent {} ended at once: see the end of {} and of {}", agent,
                                           (logs / "output0.log").native(), (logs / "pcevent0.log").native())});
}

int run(const arguments& words) {
  const auto work = open_workspace(words);
  if (!work) return fail(work.error());
  const auto agent = checked_agent_name(words.operands()[0]);
  if (!agent) return fail(agent.error());
  const auto properties = load_agent(*work, *agent);
  if (!properties) return fail(properties.error());
  if (const auto process = running_controller(*work, *agent)) {
    return fail(
        {errc::in_use, fmt::format("the agent {} is running already: its controller is process {}", *agent, *process)});
  }
  // In front it is not: a queue manager begun here would end with the service that this is.
  if (!words.has("F") && properties->text("agentQMgrHost").empty() && properties->text("agentQMgrUrls").empty()) {
    const auto up = ensure_local_qmgr(work->where, properties->text("agentQMgr"));
    if (!up) return fail(up.error());
  }
  if (!words.has("F")) return start(*work, *agent, words.number("t", 10) * 1000);
  return fail(run_in_foreground("baton-controller", {"-p", work->coordination, "-F", *agent}));
}

}  // namespace

const command start_agent{
    "fteStartAgent",
    "Start an agent that is configured on this host.",
    options,
    {"agent", "Name of the agent.", 1, 1},
    {},
    "Starts the agent's controller, which starts the agent and starts it again when it dies. In bindings mode the "
    "queue manager is started too when it is not running, but not with -F: then the agent waits for it. The command "
    "comes back when the agent is ready, or stands by for another instance.",
    "fteStartAgent SRC",
    run};

}  // namespace baton::commands
