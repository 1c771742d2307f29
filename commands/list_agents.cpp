// fteListAgents: the agents of a topology, as the coordination service knows them.
#include <fmt/format.h>

#include "commands/commands.hpp"
#include "commands/console.hpp"
#include "commands/conversation.hpp"
#include "commands/json_output.hpp"
#include "commands/table.hpp"
#include "common/text.hpp"

namespace baton::commands {
namespace {

constexpr option options[] = {
    {"v", "verbose", option_kind::flag, "", "More columns."},
    configuration_option,
    json_option,
    timeout_option,
};

// "one (active, 127), two (100)", with what each is worth: empty for an agent that is not highly available.
std::string instances_of(const formats::agent_status& s) {
  std::string out;
  for (const auto& i : s.instances) {
    out +=
        fmt::format("{}{} ({}{})", out.empty() ? "" : ", ", i.name, i.role == "active" ? "active, " : "", i.priority);
  }
  return out;
}

std::string rendered(const std::vector<formats::agent_row>& rows, bool verbose) {
  std::vector<std::string> headings{"Agent Name", "Queue Manager Name", "Status", "Status Age"};
  if (verbose)
    headings.insert(headings.end(),
                    {"Host", "Version", "Sending", "Receiving", "Queued", "Restarts", "Instances", "Description"});
  text_table table(headings);
  for (const auto& row : rows) {
    const auto& s = row.status;
    std::vector<std::string> cells{s.agent, s.qmgr, row.shown_status, age_text(row.age_ms)};
    if (verbose) {
      cells.insert(cells.end(), {s.host, s.version, std::to_string(s.source_transfers.size()),
                                 std::to_string(s.destination_transfers.size()), std::to_string(s.queued_transfers),
                                 std::to_string(s.restarts), instances_of(s), s.description});
    }
    table.add(std::move(cells));
  }
  return table.rendered();
}

int run(const arguments& words) {
  const auto work = open_workspace(words);
  if (!work) return fail(work.error());
  formats::query question;
  question.what = "agents";
  if (!words.operands().empty()) question.pattern = upper(words.operands()[0]);
  const auto answer = ask_coordination(*work, question, words.number("t", 5) * 1000);
  if (!answer) return fail(answer.error());
  if (words.has("json")) {
    print_line(json_part(*answer, "agents"));
  } else if (answer->agents.empty()) {
    complain(messages::BFGCL0014W, question.pattern);
  } else {
    print_line(rendered(answer->agents, words.has("v")));
  }
  return 0;
}

}  // namespace

const command list_agents{
    "fteListAgents",
    "List the agents of the topology with their status.",
    options,
    {"pattern", "Names with * and ?. Default: all. Quote it.", 0, 1},
    {},
    "The age of a status is counted by the coordination service, so clocks of hosts do not matter. "
    "UNREACHABLE: the agent has not published in time.",
    "fteListAgents -v 'S*'",
    run};

}  // namespace baton::commands
