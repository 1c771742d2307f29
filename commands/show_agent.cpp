// fteShowAgentDetails: everything that is known of one agent.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "commands/agent_process.hpp"
#include "commands/commands.hpp"
#include "commands/console.hpp"
#include "commands/conversation.hpp"
#include "commands/json_output.hpp"
#include "commands/qmgr_request.hpp"
#include "commands/table.hpp"
#include "common/formats/queues.hpp"
#include "common/text.hpp"
#include "properties/connection.hpp"
#include "properties/names.hpp"

namespace baton::commands {
namespace {

constexpr option options[] = {
    {"v", "verbose", option_kind::flag, "", "Also transfers, limits and the last takeovers."},
    {"d", "diagnostics", option_kind::flag, "",
     "Also the agent's queues; only for an agent that is configured on this host."},
    configuration_option,
    json_option,
    timeout_option,
};
constexpr std::string_view not_yet[] = {"bl"};

std::string process_text(const std::optional<pid_t>& process) {
  return process ? fmt::format("STARTED (process {})", *process) : "not running on this host";
}

void print_agent(const workspace& work, const formats::agent_row& row) {
  const auto& s = row.status;
  print_fields("Agent Information", {{"Name", s.agent},
                                     {"Description", s.description},
                                     {"Operating System", s.os},
                                     {"Host Name", s.host},
                                     {"Instance", s.instance},
                                     {"Time Zone", s.time_zone},
                                     {"Product Version", s.version}});
  print_fields("Agent Controller Information", {{"Status", process_text(running_controller(work, s.agent))},
                                                {"Total Agent Restart Count", std::to_string(s.restarts)}});
  print_fields(
      "Agent Availability Information",
      {{"Status", row.shown_status}, {"Status Age", age_text(row.age_ms)}, {"Start Time", time_text(s.start_time_ms)}});
  print_fields(
      "Queue Manager Information",
      {{"Name", s.qmgr}, {"Transport", s.transport}, {"Host", s.qmgr_host}, {"Port", std::to_string(s.qmgr_port)}});
}

// Times since an instance was last heard of are those of the published status, and older by its age.
void print_instances(const formats::agent_row& row) {
  if (row.status.instances.empty()) return;
  text_table table({"Instance", "Role", "Host", "Version", "Process", "Priority", "Epoch", "Since", "Last Heard"});
  for (const auto& i : row.status.instances) {
    table.add({i.name, i.role, i.host, i.version, std::to_string(i.pid), std::to_string(i.priority),
               i.epoch > 0 ? std::to_string(i.epoch) : "", time_text(i.since_ms), age_text(i.silent_ms + row.age_ms)});
  }
  print_line("Agent Instances:\n" + table.rendered());
  const auto& s = row.status;
  print_fields("Agent Preference Information",
               {{"Preferred Instances", s.preferred_instances.empty() ? "by priority" : s.preferred_instances},
                {"Fail Back", s.fail_back_ms < 0 ? "no" : "after " + human_duration_ms(s.fail_back_ms)}});
}

int print_takeovers(const workspace& work, const std::string& agent, std::int64_t timeout_ms) {
  formats::query question;
  question.what = "takeovers";
  question.pattern = agent;
  question.limit = 10;
  const auto answer = ask_coordination(work, question, timeout_ms);
  if (!answer) return fail(answer.error());
  if (answer->takeovers.empty()) return 0;
  text_table table({"Takeover", "Epoch", "Instance", "Host", "From", "Given Back", "Took", "Outage"});
  for (const auto& t : answer->takeovers) {
    table.add({time_text(t.time_ms), std::to_string(t.epoch), t.instance, t.host, t.previous_instance,
               t.previous_epoch == 0 ? ""
               : t.clean             ? "yes"
                                     : "no",
               human_duration_ms(t.duration_ms), t.outage_ms < 0 ? "" : human_duration_ms(t.outage_ms)});
  }
  print_line("Takeovers:\n" + table.rendered());
  return 0;
}

void print_transfers(const std::string& title, const std::map<std::string, std::string>& transfers, int limit) {
  print_fields(title, {{"Running", std::to_string(transfers.size())}, {"Limit", std::to_string(limit)}});
  for (const auto& [id, state] : transfers)
    print_line(fmt::format("    {}  {}", escape_control(id), escape_control(state)));
}

void print_verbose(const formats::agent_status& s) {
  print_transfers("Source Transfers", s.source_transfers, s.max_source_transfers);
  print_transfers("Destination Transfers", s.destination_transfers, s.max_destination_transfers);
  print_fields("Queued Transfers",
               {{"Waiting", std::to_string(s.queued_transfers)}, {"Limit", std::to_string(s.max_queued_transfers)}});
}

int print_queues(const workspace& work, const std::string& agent) {
  const auto properties = load_agent(work, agent);
  if (!properties) return fail(properties.error());
  const auto peer = first_that_answers(agent_qmgr_connection(*properties, work.where));
  if (!peer) return fail(peer.error());
  const auto answer = ask_qmgr(peer->peer, "list", nlohmann::json::object());
  if (!answer) return fail(answer.error());
  text_table table({"Queue Name", "Depth", "Unsettled", "Consumers"});
  for (const auto& wanted : formats::agent_queues(agent)) {
    for (const auto& q : answer->value("queues", nlohmann::json::array())) {
      if (q.value("name", "") != wanted.name) continue;
      table.add({wanted.name, std::to_string(q.value("depth", 0)), std::to_string(q.value("unsettled", 0)),
                 std::to_string(q.value("consumers", 0))});
    }
  }
  print_line("Queues:\n" + table.rendered());
  return 0;
}

int run(const arguments& words) {
  const auto work = open_workspace(words);
  if (!work) return fail(work.error());
  const auto agent = checked_agent_name(words.operands()[0]);
  if (!agent) return fail(agent.error());
  formats::query question;
  question.what = "agents";
  question.pattern = *agent;
  const auto answer = ask_coordination(*work, question, words.number("t", 5) * 1000);
  if (!answer) return fail(answer.error());
  if (answer->agents.empty()) {
    return fail({errc::not_found, fmt::format("the coordination service knows no agent {}: it has never published its "
                                              "status. fteListAgents lists those that have",
                                              *agent)});
  }
  if (words.has("json")) {
    print_line(json_part(*answer, "agents"));
    return 0;
  }
  print_agent(*work, answer->agents[0]);
  print_instances(answer->agents[0]);
  if (words.has("v")) {
    print_verbose(answer->agents[0].status);
    if (const int code = print_takeovers(*work, *agent, words.number("t", 5) * 1000)) return code;
  }
  return words.has("d") ? print_queues(*work, *agent) : 0;
}

}  // namespace

const command show_agent{"fteShowAgentDetails",
                         "Show what is known of one agent.",
                         options,
                         {"agent", "Name of the agent.", 1, 1},
                         not_yet,
                         "",
                         "fteShowAgentDetails -v SRC",
                         run};

}  // namespace baton::commands
