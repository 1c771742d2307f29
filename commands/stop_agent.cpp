// fteStopAgent: stops an agent of this host, or (by a message) of another one.
#include <signal.h>

#include <fmt/format.h>

#include <cerrno>

#include "commands/agent_process.hpp"
#include "commands/background.hpp"
#include "commands/commands.hpp"
#include "commands/console.hpp"
#include "commands/conversation.hpp"
#include "common/text.hpp"
#include "properties/names.hpp"

namespace baton::commands {
namespace {

constexpr option options[] = {
    configuration_option,
    {"i", "immediate", option_kind::flag, "",
     "Stop at once; transfers go on when the agent is started again. Without it running transfers end first."},
    {"in", "instance", option_kind::text, "name",
     "Only the instance with this name. A standby instance is stopped on its own host."},
    {"m", "qmgr", option_kind::text, "qmgr", "Queue manager of the agent: needed for an agent of another host."},
    {"t", "timeout", option_kind::number, "seconds", "Time to wait for the end of an agent of this host. Default: 10.",
     false, false, false, 1, 86400},
};

// An agent whose queue manager is away takes no message; an immediate stop still reaches it.
status signal_controller(const workspace& work, const std::string& agent) {
  auto process = running_controller(work, agent);
  if (!process) process = running_agent(work, agent);
  if (!process || ::kill(*process, SIGTERM) == 0 || errno == ESRCH) return done();
  return error{errc::not_permitted,
               fmt::format("the agent {} (process {}) cannot be signalled: {}", agent, *process, system_text(errno))};
}

status ask_to_stop(const workspace& work, const std::string& agent, const arguments& words) {
  formats::stop_request request;
  request.immediate = words.has("i");
  request.instance = words.text("in");
  const auto answered =
      ask_agent(work, agent, words.text("m"), formats::subject::agent_stop, formats::to_json(request), 5000);
  if (!answered) return answered.error();
  if (answered->result_code != 0) return error{errc::internal, answered->text};
  return done();
}

int wait_for_end(const workspace& work, const std::string& agent, const arguments& words) {
  const std::int64_t timeout_ms = words.number("t", 10) * 1000;
  if (wait_until([&] { return !is_running(work, agent); }, timeout_ms)) {
    say(messages::BFGCL0934I, agent);
    return 0;
  }
  if (words.has("i")) {
    return fail({errc::timed_out,
                 fmt::format("the agent {} has not ended within {}: see {}", agent, human_duration_ms(timeout_ms),
                             work.where.agent_logs(work.coordination, agent).native())});
  }
  say(messages::BFGCL0553I, agent);
  return 0;
}

std::string local_instance(const workspace& work, const std::string& agent) {
  const auto properties = load_agent(work, agent);
  const std::string name = properties ? properties->text("instanceName") : std::string();
  return name.empty() ? host_name() : name;
}

int run(const arguments& words) {
  const auto work = open_workspace(words);
  if (!work) return fail(work.error());
  const auto agent = checked_agent_name(words.operands()[0]);
  if (!agent) return fail(agent.error());
  const bool here = is_running(*work, *agent);
  if (!here && !words.has("m")) {
    const auto known = load_agent(*work, *agent);
    if (!known) return fail(known.error());
    return fail({errc::not_found, fmt::format("the agent {} is not running on this host; use -m with its queue manager "
                                              "to stop it on another one",
                                              *agent)});
  }
  say(messages::BFGCL0468I, *agent);
  // A message reaches only the active instance. One that stands by, or waits for its queues, takes none.
  const std::string& wanted = words.text("in");
  const std::string role = local_role(*work, *agent);
  const bool for_this = here && (wanted.empty() || wanted == local_instance(*work, *agent));
  if (for_this && (role == "standby" || role == "starting")) {
    say(messages::BFGCL0963I, *agent);
    const auto signalled = signal_controller(*work, *agent);
    return signalled ? wait_for_end(*work, *agent, words) : fail(signalled.error());
  }
  const auto asked = ask_to_stop(*work, *agent, words);
  if (!for_this) {
    if (!asked) return fail(asked.error());
    say(messages::BFGCL0553I, *agent);
    return 0;
  }
  if (!asked && !words.has("i")) return fail(asked.error());
  if (!asked) {
    const auto signalled = signal_controller(*work, *agent);
    if (!signalled) return fail(signalled.error());
  }
  return wait_for_end(*work, *agent, words);
}

}  // namespace

const command stop_agent{"fteStopAgent",
                         "Stop an agent.",
                         options,
                         {"agent", "Name of the agent.", 1, 1},
                         {},
                         "",
                         "fteStopAgent -i SRC",
                         run};

}  // namespace baton::commands
