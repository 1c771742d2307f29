// fteListTransfers: transfers of the topology, newest first, or as they go on.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "commands/commands.hpp"
#include "commands/console.hpp"
#include "commands/conversation.hpp"
#include "commands/json_output.hpp"
#include "commands/progress_view.hpp"
#include "commands/table.hpp"
#include "common/text.hpp"

namespace baton::commands {
namespace {

constexpr option options[] = {
    {"a", "active", option_kind::flag, "", "Only transfers that have not ended."},
    {"n", "limit", option_kind::number, "count", "Most transfers to list. Default: 20.", false, false, false, 1, 10000},
    {"f", "follow", option_kind::flag, "", "Go on: print a line for each transfer that changes, until interrupted."},
    configuration_option,
    json_option,
    timeout_option,
};
constexpr std::chrono::seconds follow_interval{1};

std::string state_text(const formats::transfer_row& t) {
  return t.result_code > 0 ? fmt::format("{} ({})", t.state, t.result_code) : t.state;
}

std::string amount_text(const formats::transfer_row& t) {
  return t.bytes_total > 0 ? fmt::format("{} of {}", human_bytes(t.bytes), human_bytes(t.bytes_total))
                           : human_bytes(t.bytes);
}

std::string files_text(const formats::transfer_row& t) {
  return t.failed > 0 ? fmt::format("{} of {} ({} failed)", t.items, t.items_total, t.failed)
                      : fmt::format("{} of {}", t.items, t.items_total);
}

std::string rendered(const std::vector<formats::transfer_row>& rows) {
  text_table table({"Transfer ID", "Job", "From", "To", "State", "Files", "Data", "Started"});
  for (const auto& t : rows) {
    table.add({t.id, t.job, t.source_agent, t.destination_agent, state_text(t), files_text(t), amount_text(t),
               time_text(t.start_ms)});
  }
  return table.rendered();
}

void print_changes(const std::vector<formats::transfer_row>& rows, std::map<std::string, std::string>& shown) {
  for (auto t = rows.rbegin(); t != rows.rend(); ++t) {
    const pace of{t->rate, t->time_left_ms, t->channel, t->retries, t->wasted_bytes};
    const std::string line =
        fmt::format("{}  {} -> {}  {}  {} files  {}{}", t->id, t->source_agent, t->destination_agent, state_text(*t),
                    files_text(*t), amount_text(*t), pace_text(of));
    if (shown[t->id] == line) continue;
    shown[t->id] = line;
    print_message(fmt::format("{}  {}", time_text(t->updated_ms), line));
  }
  std::fflush(stdout);
}

int follow(const workspace& work, const formats::query& question, std::int64_t timeout_ms) {
  std::map<std::string, std::string> shown;
  for (;;) {
    const auto answer = ask_coordination(work, question, timeout_ms);
    if (!answer) return fail(answer.error());
    print_changes(answer->transfers, shown);
    std::erase_if(shown, [&](const auto& entry) {
      return std::none_of(answer->transfers.begin(), answer->transfers.end(),
                          [&](const auto& t) { return t.id == entry.first; });
    });
    std::this_thread::sleep_for(follow_interval);
  }
}

int run(const arguments& words) {
  if (words.has("f") && words.has("json")) return fail({errc::bad_usage, "-f shows lines of text, and no --json"});
  const auto work = open_workspace(words);
  if (!work) return fail(work.error());
  formats::query question;
  question.what = "transfers";
  question.active_only = words.has("a");
  question.limit = static_cast<int>(words.number("n", 20));
  const std::int64_t timeout_ms = words.number("t", 5) * 1000;
  if (words.has("f")) return follow(*work, question, timeout_ms);
  const auto answer = ask_coordination(*work, question, timeout_ms);
  if (!answer) return fail(answer.error());
  if (words.has("json"))
    print_line(json_part(*answer, "transfers"));
  else if (answer->transfers.empty())
    complain(messages::BFGCL0942W);
  else
    print_line(rendered(answer->transfers));
  return 0;
}

}  // namespace

const command list_transfers{
    "fteListTransfers", "List transfers, newest first.", options, {}, {}, "", "fteListTransfers -a", run};

}  // namespace baton::commands
