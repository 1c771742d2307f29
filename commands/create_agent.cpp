// fteCreateAgent: the configuration of an agent, its administrator's scripts, and its queues.
#include <fmt/format.h>

#include "commands/agent_scripts.hpp"
#include "commands/commands.hpp"
#include "commands/console.hpp"
#include "commands/qmgr_request.hpp"
#include "commands/set_up.hpp"
#include "commands/workspace.hpp"
#include "common/amqp/dialect.hpp"
#include "properties/atomic_file.hpp"
#include "properties/connection.hpp"

namespace baton::commands {
namespace {

constexpr option options[] = {
    {"agentName", "agent-name", option_kind::text, "name", "Name of the agent.", true},
    {"agentQMgr", "agent-qmgr", option_kind::text, "name", "Queue manager that has the agent's queues.", true},
    {"agentQMgrHost", "agent-qmgr-host", option_kind::text, "host",
     "Its host. Without it: the embedded queue manager of this host (bindings mode)."},
    {"agentQMgrPort", "agent-qmgr-port", option_kind::text, "port", "Its port. Default: 5672."},
    {"agentQMgrUrls", "agent-qmgr-urls", option_kind::text, "urls",
     "Several, tried in order, instead of host and port: amqp://one:5672,amqps://two:5671."},
    {"agentQMgrType", "agent-qmgr-type", option_kind::choice, "type", "Kind of queue manager. Default: embedded.",
     false, false, false, 0, 0, amqp::broker_kind_words},
    {"agentQMgrQueueType", "agent-qmgr-queue-type", option_kind::choice, "type",
     "For RabbitMQ: classic, or quorum in a cluster. Default: classic.", false, false, false, 0, 0,
     amqp::queue_type_words},
    {"agentQMgrManagementUrl", "agent-qmgr-management-url", option_kind::text, "url",
     "Its management over HTTP. Default: the usual port of the kind, on its host; embedded has none."},
    {"agentDesc", "agent-desc", option_kind::text, "text", "Description, for people."},
    {"agentQMgrAuthenticationCredentialsFile", "credentials", option_kind::text, "file",
     "MQMFTCredentials.xml with user and password."},
    {"x", "highly-available", option_kind::flag, "",
     "One of several instances of the agent, of which one is active and the others stand by."},
    {"instanceName", "instance-name", option_kind::text, "name", "Name of this instance. Default: the host name."},
    {"instancePriority", "instance-priority", option_kind::text, "0-127",
     "Of several instances the one with the highest value is to be the active one. Default: 100."},
    {"transferRoot", "transfer-root", option_kind::text, "directory", "Directory that relative paths start from."},
    configuration_option,
    force_option,
};
constexpr std::string_view not_yet[] = {"agentQMgrChannel", "ac", "authorityChecking", "s", "su", "sp", "sj", "sl"};

status write_scripts(const workspace& work, const std::string& agent, const qmgr_connection& found) {
  const auto folder = work.where.agent_config(work.coordination, agent);
  const auto create = folder / (agent + "_create.sh"), remove = folder / (agent + "_delete.sh");
  if (auto written = write_file_atomically(create, create_script(agent, found), 0755); !written) return written;
  say(messages::BFGCM0239I, create.native());
  if (auto written = write_file_atomically(remove, delete_script(agent, found), 0755); !written) return written;
  say(messages::BFGCM0241I, remove.native());
  return done();
}

// On each queue manager of a list; those that are down now get them from the agent when it comes there.
status declare_queues(const result<qmgr_connection>& found, const std::string& agent) {
  if (!found) return found.error();
  status all = done();
  for (const auto& peer : found->all()) {
    const auto made =
        amqp::dialect_of(peer.kind).declare(command_connection(peer), formats::agent_queues(agent), answer_timeout_ms);
    if (!made) all = made;
  }
  return all;
}

int run(const arguments& words) {
  const auto work = open_workspace(words);
  if (!work) return fail(work.error());
  auto values = values_of_options(words, agent_properties());
  if (!values) return fail(values.error());
  if (words.has("x")) (*values)["highlyAvailable"] = "true";
  const std::string agent = values->at("agentName");
  const auto file = work->where.agent_properties(work->coordination, agent);
  const auto written = write_new_properties(file, agent_properties(), *values, words.has("f"));
  if (!written) return fail(written.error());
  say(messages::BFGCL0910I, file.native());
  const auto properties = load_agent(*work, agent);
  if (!properties) return fail(properties.error());
  // A local queue manager that does not run has no address, but is known to be an embedded one.
  const auto peer = agent_qmgr_connection(*properties, work->where);
  if (!peer && peer.error().code != errc::unreachable) return fail(peer.error());
  qmgr_connection local;
  local.qmgr = properties->text("agentQMgr");
  local.bindings = true;
  const auto scripts = write_scripts(*work, agent, peer ? *peer : local);
  if (!scripts) return fail(scripts.error());
  const auto declared = declare_queues(peer, agent);
  if (declared) {
    say(messages::BFGCL0253I, agent);
    return 0;
  }
  // A queue manager that does not run is an everyday order of doing things, and the agent makes its queues at its
  // start.
  const auto code = declared.error().code;
  if (code != errc::unreachable && code != errc::timed_out) return fail(declared.error());
  say(messages::BFGCL0254I, agent, declared.error().text);
  return 0;
}

}  // namespace

const command create_agent{
    "fteCreateAgent",
    "Configure an agent on this host and make its queues.",
    options,
    {},
    not_yet,
    "Writes agent.properties and two scripts for an administrator, which make and remove the agent's queues. When the "
    "queue manager can be reached the queues are made at once, otherwise by the agent when it starts.",
    "fteCreateAgent -agentName SRC -agentQMgr QM1",
    run};

}  // namespace baton::commands
