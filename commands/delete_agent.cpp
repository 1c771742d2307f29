// fteDeleteAgent: removes an agent's queues, its publications and its configuration.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <system_error>

#include "commands/agent_process.hpp"
#include "commands/commands.hpp"
#include "commands/console.hpp"
#include "commands/conversation.hpp"
#include "commands/qmgr_request.hpp"
#include "common/amqp/dialect.hpp"
#include "common/amqp/requester.hpp"
#include "common/formats/publications.hpp"
#include "properties/connection.hpp"
#include "properties/names.hpp"

namespace baton::commands {
namespace {

constexpr option options[] = {
    configuration_option,
    {"f", "force", option_kind::flag, "",
     "Go on when the agent is not configured here, or its queue manager is gone: what can be removed is."},
};

status remove_queues(const workspace& work, const std::string& agent) {
  const auto properties = load_agent(work, agent);
  if (!properties) return properties.error();
  const auto peer = agent_qmgr_connection(*properties, work.where);
  if (!peer) return peer.error();
  std::vector<std::string> names;
  for (const auto& queue : formats::agent_queues(agent)) names.push_back(queue.name);
  for (const auto& one : peer->all()) {
    auto removed = amqp::dialect_of(one.kind).remove(command_connection(one), names, answer_timeout_ms);
    if (!removed) return removed;
  }
  return done();
}

// Tells the coordination service that the agent's status means nothing any more.
status tell_coordination(const workspace& work, const std::string& agent) {
  const auto properties = load_coordination(work);
  if (!properties) return properties.error();
  const auto peer = first_that_answers(coordination_qmgr_connection(*properties, work.where));
  if (!peer) return peer.error();
  auto conversation = amqp::requester::connect(command_connection(peer->peer), answer_timeout_ms);
  if (!conversation) return conversation.error();
  amqp::message deleted;
  deleted.subject = formats::subject::agent_deleted;
  deleted.body = nlohmann::json{{"agent", agent}}.dump();
  return (*conversation)->send(formats::publication_queue, std::move(deleted), answer_timeout_ms);
}

int run(const arguments& words) {
  const auto work = open_workspace(words);
  if (!work) return fail(work.error());
  const auto agent = checked_agent_name(words.operands()[0]);
  if (!agent) return fail(agent.error());
  if (is_running(*work, *agent)) {
    return fail(
        {errc::in_use, fmt::format("the agent {} is running: stop it first with fteStopAgent {}", *agent, *agent)});
  }
  if (const auto elsewhere = nobody_active(*work, *agent); !elsewhere) return fail(elsewhere.error());
  const bool force = words.has("f");
  const auto removed = remove_queues(*work, *agent);
  if (!removed && !force) return fail(removed.error());
  if (removed)
    say(messages::BFGCL0092I, *agent);
  else
    complain(messages::BFGCL0912W, removed.error().text);
  const auto told = tell_coordination(*work, *agent);
  if (told)
    say(messages::BFGCL0282I, *agent);
  else
    complain(messages::BFGCL0912W, told.error().text);
  std::error_code failure;
  std::filesystem::remove_all(work->where.agent_config(work->coordination, *agent), failure);
  if (failure)
    return fail({errc::io, fmt::format("{}: {}", work->where.agent_config(work->coordination, *agent).native(),
                                       failure.message())});
  say(messages::BFGCL0913I, *agent, work->where.agent_logs(work->coordination, *agent).native());
  return 0;
}

}  // namespace

const command delete_agent{"fteDeleteAgent",
                           "Remove an agent: its queues, its status and its configuration.",
                           options,
                           {"agent", "Name of the agent. It must not be running.", 1, 1},
                           {},
                           "Transfers that are not complete are lost. The logs stay.",
                           "fteDeleteAgent SRC",
                           run};

}  // namespace baton::commands
