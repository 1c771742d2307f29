// fteModifyAgent: changes what an agent of this host is, in its agent.properties.
#include <fmt/format.h>

#include "commands/agent_process.hpp"
#include "commands/commands.hpp"
#include "commands/console.hpp"
#include "commands/workspace.hpp"
#include "properties/names.hpp"
#include "properties/write.hpp"

namespace baton::commands {
namespace {

constexpr option options[] = {
    {"agentName", "agent-name", option_kind::text, "name", "Name of the agent.", true},
    {"x", "highly-available", option_kind::choice, "true|false",
     "Whether this instance is one of several of the agent, of which one is active and the others stand by.", true,
     false, false, 0, 0, "true|false"},
    {"instanceName", "instance-name", option_kind::text, "name",
     "Name of this instance, which no other one of the agent may have. Without it the name stays as it was."},
    configuration_option,
};

int run(const arguments& words) {
  const auto work = open_workspace(words);
  if (!work) return fail(work.error());
  const auto agent = checked_agent_name(words.text("agentName"));
  if (!agent) return fail(agent.error());
  const auto properties = load_agent(*work, *agent);
  if (!properties) return fail(properties.error());
  if (is_running(*work, *agent)) {
    return fail({errc::in_use, fmt::format("the agent {} is running on this host: stop it first (fteStopAgent -i {})",
                                           *agent, *agent)});
  }
  const auto file = work->where.agent_properties(work->coordination, *agent);
  auto changed = change_property(file, "highlyAvailable", words.text("x"));
  if (changed && words.has("instanceName")) {
    changed = change_property(file, "instanceName", words.text("instanceName"));
  }
  if (!changed) return fail(changed.error());
  say(messages::BFGCL0961I, *agent, words.text("x") == "true" ? "a highly available" : "an ordinary", file.native());
  return 0;
}

}  // namespace

const command modify_agent{"fteModifyAgent",
                           "Make an agent of this host highly available, or an ordinary one again.",
                           options,
                           {},
                           {},
                           "The agent must not be running on this host. Every instance has configuration of its own: "
                           "run the command on each host, with another -instanceName each. Only highlyAvailable and "
                           "instanceName in agent.properties are changed. Transfers that are under way go on when the "
                           "agent is started again, on whichever host.",
                           "fteModifyAgent -agentName SRC -x true -instanceName alpha",
                           run};

}  // namespace baton::commands
