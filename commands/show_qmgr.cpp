// fteShowQMgrDetails: an embedded queue manager and its queues.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "commands/commands.hpp"
#include "commands/console.hpp"
#include "commands/json_output.hpp"
#include "commands/qmgr_instances.hpp"
#include "commands/qmgr_request.hpp"
#include "commands/table.hpp"
#include "common/text.hpp"
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

std::string mode_of(const instance_seen& one) {
  if (!one.running) return "not running";
  switch (one.says.state) {
    case formats::qmgr_instance_state::active:
      return "active";
    case formats::qmgr_instance_state::standby:
      return "standby";
    default:
      return "ending";
  }
}

void print_instances(const qmgr_instances& all) {
  text_table table({"Instance", "Mode", "Host", "Process", "Address", "Epoch", "Since", "Version"});
  const instance_seen* active = all.active();
  for (const instance_seen& one : all.seen.list) {
    const auto& says = one.says;
    // One that was stopped and does not know yet that another took over is not active.
    const bool stale = &one != active && one.running && says.state == formats::qmgr_instance_state::active;
    table.add({says.name, stale ? "not responding" : mode_of(one), says.host,
               one.running ? fmt::format("{}", says.pid) : "",
               one.running && says.port != 0 ? fmt::format("{} {}", says.address, says.port) : "",
               says.epoch != 0 ? fmt::format("{}", says.epoch) : "", time_text(says.since_ms), says.version});
  }
  print_line(fmt::format("Instances, data path {}:\n{}", all.folder.root().native(), table.rendered()));
}

json json_of(const qmgr_instances& all) {
  json list = json::array();
  for (const instance_seen& one : all.seen.list) {
    json entry = json::parse(formats::to_json(one.says), nullptr, false);
    entry["running"] = one.running;
    entry["active"] = &one == all.active();
    list.push_back(std::move(entry));
  }
  return list;
}

void print_details(const json& all, const amqp::endpoint& where) {
  const json& about = all.contains("qmgr") ? all["qmgr"] : json::object();
  print_fields("Queue Manager Information", {
                                                {"Name", text_of(about, "name")},
                                                {"Product Version", text_of(about, "version")},
                                                {"Process", text_of(about, "pid")},
                                                {"Address", fmt::format("{} {}", where.host, where.port)},
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
  const auto instances = instances_of_qmgr(*where, *name);
  if (!instances) return fail(instances.error());
  if (*instances && !words.has("json")) print_instances(**instances);
  const auto address = qmgr_address(*where, *name, *instances);
  if (!address) {
    if (*instances && words.has("json")) print_line(json{{"instances", json_of(**instances)}}.dump(2));
    return fail(address.error());
  }
  auto answer = ask_qmgr(*address, "list", json::object(), words.number("t", 5) * 1000);
  if (!answer) return fail(answer.error());
  if (words.has("json")) {
    if (*instances) (*answer)["instances"] = json_of(**instances);
    print_line(answer->dump(2, ' ', false, json::error_handler_t::replace));
  } else {
    if (*instances) print_line("");
    print_details(*answer, *address);
  }
  return 0;
}

}  // namespace

const command show_qmgr{
    "fteShowQMgrDetails",
    "Show an embedded queue manager of this host, its instances and its queues.",
    options,
    {"qmgr", "Name of the queue manager.", 1, 1},
    {},
    "With dataPath in qmgr.properties it shows all instances, which one is active and since when, and "
    "asks the active one for the queues, wherever that is.",
    "fteShowQMgrDetails --json QM1",
    run};

}  // namespace baton::commands
