// fteCleanAgent: throws away what a stopped agent has in its queues.
#include <fmt/format.h>

#include <filesystem>

#include "commands/agent_process.hpp"
#include "commands/commands.hpp"
#include "commands/console.hpp"
#include "commands/conversation.hpp"
#include "commands/qmgr_request.hpp"
#include "common/amqp/dialect.hpp"
#include "properties/connection.hpp"
#include "properties/names.hpp"

namespace baton::commands {
namespace {

constexpr option options[] = {
    configuration_option,
    {"trs", "transfers", option_kind::flag, "", "Transfers that are not complete. They will not go on."},
    {"ims", "messages", option_kind::flag, "", "Requests that the agent has not taken yet."},
    {"all", "all", option_kind::flag, "", "Everything."},
};
constexpr std::string_view not_yet[] = {"ms", "ss"};

std::vector<std::string> queues_to_purge(const std::string& agent, const arguments& words, bool everything) {
  std::vector<std::string> queues;
  const bool all = everything || words.has("all");
  if (all || words.has("trs")) {
    queues = {formats::state_queue(agent), formats::data_queue(agent), formats::reply_queue(agent)};
  }
  if (all || words.has("ims")) queues.push_back(formats::command_queue(agent));
  if (all) queues.push_back(formats::event_queue(agent));
  return queues;
}

status purge(const workspace& work, const property_set& agent, const std::vector<std::string>& queues) {
  const auto peer = agent_qmgr_connection(agent, work.where);
  if (!peer) return peer.error();
  for (const std::string& queue : queues) {
    for (const auto& one : peer->all()) {
      auto purged = amqp::dialect_of(one.kind).purge(command_connection(one), queue, answer_timeout_ms);
      if (!purged && purged.error().code != errc::not_found) return purged;
    }
    say(messages::BFGCL0935I, queue);
  }
  return done();
}

int run(const arguments& words) {
  const auto work = open_workspace(words);
  if (!work) return fail(work.error());
  const auto agent = checked_agent_name(words.operands()[0]);
  if (!agent) return fail(agent.error());
  const auto properties = load_agent(*work, *agent);
  if (!properties) return fail(properties.error());
  const bool says_what = words.has("trs") || words.has("ims") || words.has("all");
  if (!says_what && properties->boolean("failCleanAgentWithNoArguments")) {
    return fail({errc::bad_usage, "say what to clean: -trs, -ims or -all"});
  }
  if (is_running(*work, *agent)) {
    return fail(
        {errc::in_use, fmt::format("the agent {} is running: stop it first with fteStopAgent {}", *agent, *agent)});
  }
  if (const auto elsewhere = nobody_active(*work, *agent); !elsewhere) return fail(elsewhere.error());
  const auto purged = purge(*work, *properties, queues_to_purge(*agent, words, !says_what));
  if (!purged) return fail(purged.error());
  if (!says_what || words.has("all") || words.has("trs")) {
    std::error_code ignored;  // the lists of items of transfers that will not go on
    std::filesystem::remove_all(work->where.agent_run(work->coordination, *agent) / "transfers", ignored);
  }
  return 0;
}

}  // namespace

const command clean_agent{
    "fteCleanAgent",
    "Throw away what a stopped agent has in its queues.",
    options,
    {"agent", "Name of the agent. It must not be running.", 1, 1},
    not_yet,
    "Without an option that says what to clean the command is refused, unless the agent's property "
    "failCleanAgentWithNoArguments is false.",
    "fteCleanAgent -trs SRC",
    run};

}  // namespace baton::commands
