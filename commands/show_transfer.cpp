// fteShowTransfer: one transfer and its files.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "commands/commands.hpp"
#include "commands/console.hpp"
#include "commands/conversation.hpp"
#include "commands/json_output.hpp"
#include "commands/table.hpp"
#include "common/loop.hpp"
#include "common/text.hpp"

namespace baton::commands {
namespace {

constexpr option options[] = {
    {"n", "limit", option_kind::number, "count", "Most files to list. Default: 100.", false, false, false, 0, 100000},
    configuration_option,
    json_option,
    timeout_option,
};

void print_transfer(const formats::transfer_row& t) {
  std::string metadata;
  for (const auto& [key, value] : t.metadata)
    metadata += fmt::format("{}{}={}", metadata.empty() ? "" : ", ", key, value);
  const std::int64_t end_ms = t.end_ms > 0 ? t.end_ms : wall_time_ms();
  print_fields("Transfer", {
                               {"ID", t.id},
                               {"Job", t.job},
                               {"From", t.source_agent},
                               {"To", t.destination_agent},
                               {"Asked By", fmt::format("{} on {}", t.originator_user, t.originator_host)},
                               {"State", t.state},
                               {"Result Code", t.result_code < 0 ? "" : std::to_string(t.result_code)},
                               {"Result", t.supplement},
                               {"Files", fmt::format("{} of {}, {} failed", t.items, t.items_total, t.failed)},
                               {"Data", fmt::format("{} of {}", human_bytes(t.bytes), human_bytes(t.bytes_total))},
                               {"Started", time_text(t.start_ms)},
                               {"Ended", time_text(t.end_ms)},
                               {"Duration", t.start_ms > 0 ? human_duration_ms(end_ms - t.start_ms) : ""},
                               {"Recoveries", std::to_string(t.retries)},
                               {"Sent In Vain", human_bytes(t.wasted_bytes)},
                               {"Rate", t.rate > 0 ? human_bytes(t.rate) + "/s" : ""},
                               {"Time Left", t.time_left_ms > 0 ? human_duration_ms(t.time_left_ms) : ""},
                               {"Channel", t.channel},
                               {"Metadata", metadata},
                           });
}

void print_items(const std::vector<formats::log_item>& items) {
  if (items.empty()) return;
  text_table table({"Source", "Destination", "Size", "Result", "Checksum", "Text"});
  constexpr const char* results[] = {"ok", "failed", "warning"};
  for (const auto& i : items) {
    const bool known = i.result_code >= 0 && i.result_code <= 2;
    table.add({i.source, i.destination, human_bytes(i.size),
               known ? results[i.result_code] : std::to_string(i.result_code),
               i.checksum.empty() ? std::string() : fmt::format("{}:{}", i.checksum_method, i.checksum), i.supplement});
  }
  print_line("\n" + table.rendered());
}

// As many as are wanted, over several answers.
result<formats::answer> items_of(const workspace& work, const std::string& id, std::size_t wanted,
                                 std::int64_t timeout_ms) {
  formats::query question;
  question.what = "items";
  question.id = id;
  formats::answer all;
  while (all.items.size() < wanted) {
    question.limit = static_cast<int>(wanted - all.items.size());
    auto next = ask_coordination(work, question, timeout_ms);
    if (!next) return next.error();
    const bool last =
        next->items.size() < std::min(static_cast<std::size_t>(question.limit), std::size_t{formats::answer_rows_max});
    if (!next->items.empty()) question.after = next->items.back().number + 1;
    std::move(next->items.begin(), next->items.end(), std::back_inserter(all.items));
    if (last) break;
  }
  return all;
}

int run(const arguments& words) {
  const auto work = open_workspace(words);
  if (!work) return fail(work.error());
  const std::int64_t timeout_ms = words.number("t", 5) * 1000;
  formats::query question;
  question.what = "transfer";
  question.id = words.operands()[0];
  const auto found = ask_coordination(*work, question, timeout_ms);
  if (!found) return fail(found.error());
  if (found->transfers.empty()) {
    return fail({errc::not_found, fmt::format("there is no transfer {}: fteListTransfers lists them", question.id)});
  }
  const auto wanted = static_cast<std::size_t>(words.number("n", 100));
  const auto items = items_of(*work, found->transfers[0].id, wanted, timeout_ms);
  if (!items) return fail(items.error());
  if (words.has("json")) {
    auto out = nlohmann::json::parse(json_part(*found, "transfers"))[0];
    out["items_list"] = nlohmann::json::parse(json_part(*items, "items"));
    print_line(out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    return 0;
  }
  print_transfer(found->transfers[0]);
  print_items(items->items);
  return 0;
}

}  // namespace

const command show_transfer{"fteShowTransfer",
                            "Show one transfer and its files.",
                            options,
                            {"id", "Id of the transfer, or the beginning of it.", 1, 1},
                            {},
                            "",
                            "fteShowTransfer 0123456789ab",
                            run};

}  // namespace baton::commands
