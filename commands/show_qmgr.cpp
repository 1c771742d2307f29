// fteShowQMgrDetails: an embedded queue manager and its queues.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "commands/commands.hpp"
#include "commands/console.hpp"
#include "commands/qmgr_request.hpp"
#include "commands/table.hpp"
#include "common/text.hpp"
#include "properties/connection.hpp"
#include "properties/names.hpp"

namespace baton::commands {
namespace {

using nlohmann::json;
constexpr option options[] = {json_option, timeout_option};

std::string text_of(const json& object, const char* key) {
  const auto at = object.find(key);
  if (at == object.end() || at->is_null()) return "";
  return at->is_string() ? at->get<std::string>() : at->dump();
}

std::int64_t number_of(const json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_number() ? at->get<std::int64_t>() : 0;
}

std::string bytes_of(const json& object, const char* key) {
  return human_bytes(static_cast<std::uint64_t>(std::max<std::int64_t>(number_of(object, key), 0)));
}

void print_details(const json& all, const qmgr_connection& where) {
  const json& about = all.contains("qmgr") ? all["qmgr"] : json::object();
  print_fields("Queue Manager Information", {
                                                {"Name", text_of(about, "name")},
                                                {"Product Version", text_of(about, "version")},
                                                {"Process", text_of(about, "pid")},
                                                {"Address", fmt::format("{} {}", where.peer.host, where.peer.port)},
                                                {"Up For", human_duration_ms(number_of(about, "uptimeMs"))},
                                                {"Connections", text_of(about, "connections")},
                                                {"Memory", bytes_of(about, "memoryBytes")},
                                                {"Store", bytes_of(about, "storeBytes")},
                                            });
  text_table table({"Queue Name", "Type", "Depth", "Size", "Unsettled", "Consumers", "Oldest"});
  const json& queues = all.contains("queues") ? all["queues"] : json::array();
  for (const json& q : queues) {
    if (!q.value("durable", true)) continue;  // temporary ones, this command's own among them; --json shows them
    const bool empty = number_of(q, "depth") == 0;
    table.add({text_of(q, "name"), text_of(q, "type"), text_of(q, "depth"), bytes_of(q, "bytes"),
               text_of(q, "unsettled"), text_of(q, "consumers"),
               empty ? "" : human_duration_ms(number_of(q, "oldestMs"))});
  }
  print_line("");
  print_line(table.rendered());
}

int run(const arguments& words) {
  const auto where = layout::from_environment();
  if (!where) return fail(where.error());
  const auto name = checked_qmgr_name(words.operands()[0]);
  if (!name) return fail(name.error());
  const auto connection = local_qmgr_connection(*name, *where);
  if (!connection) return fail(connection.error());
  const auto answer = ask_qmgr(connection->peer, "list", json::object(), words.number("t", 5) * 1000);
  if (!answer) return fail(answer.error());
  if (words.has("json"))
    print_line(answer->dump(2, ' ', false, json::error_handler_t::replace));
  else
    print_details(*answer, *connection);
  return 0;
}

}  // namespace

const command show_qmgr{"fteShowQMgrDetails",
                        "Show an embedded queue manager of this host and its queues.",
                        options,
                        {"qmgr", "Name of the queue manager.", 1, 1},
                        {},
                        "",
                        "fteShowQMgrDetails --json QM1",
                        run};

}  // namespace baton::commands
