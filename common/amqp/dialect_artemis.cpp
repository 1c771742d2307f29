// Apache ActiveMQ Artemis 2.x. Its management is reached over AMQP, at an address of its own, so that no second port is
// needed: docs/brokers.md says what it must be allowed, and what is lost.
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "common/amqp/admin_script.hpp"
#include "common/amqp/dialect_over_amqp.hpp"

namespace baton::amqp {
namespace {

using nlohmann::json;

constexpr const char* management_address = "activemq.management";
constexpr const char* settings_match = "SYSTEM.FTE.#";
// Codes that this broker's texts begin with; its conditions are often amqp:internal-error.
constexpr std::string_view queue_exists = "AMQ229019", no_such_queue = "AMQ229017", no_such_resource = "AMQ229067",
                           consumers_max = "AMQ229200", no_permission = "does not have permission";

// Without these it moves the lock's token to a dead-letter queue after ten holders have died, keeps what has expired,
// and makes for a missing queue an address that takes messages and drops them.
json wanted_settings() {
  return {{"maxDeliveryAttempts", -1},    {"expiryAddress", ""},       {"autoCreateQueues", false},
          {"autoCreateAddresses", false}, {"autoDeleteQueues", false}, {"autoDeleteAddresses", false}};
}

json declaration_of(const formats::queue_declaration& queue) {
  json out{{"name", queue.name},
           {"address", queue.name},
           {"routing-type", "ANYCAST"},
           {"durable", true},
           {"exclusive", queue.kind == formats::queue_kind::single_active},
           {"max-consumers", queue.kind == formats::queue_kind::exclusive ? 1 : -1},
           {"purge-on-no-consumers", false},
           {"auto-delete", false},
           {"auto-create-address", true}};
  if (queue.messages_max > 0 && queue.drop_oldest) out["ring-size"] = queue.messages_max;
  return out;
}

errc kind_of(const std::string& said) {
  if (said.find(no_permission) != std::string::npos) return errc::not_permitted;
  if (said.find(no_such_queue) != std::string::npos || said.find(no_such_resource) != std::string::npos)
    return errc::not_found;
  return said.find(queue_exists) != std::string::npos ? errc::conflict : errc::internal;
}

// What the operation returned.
result<json> call(requester& peer, const std::string& resource, const std::string& operation, const json& parameters,
                  std::int64_t timeout_ms) {
  message request;
  request.durable = false;
  request.properties = {{"_AMQ_ResourceName", resource}, {"_AMQ_OperationName", operation}};
  request.text = true;
  request.body = parameters.dump();
  const auto answer = peer.request(management_address, std::move(request), timeout_ms);
  if (!answer) return answer.error();
  const json returned = json::parse(answer->body, nullptr, false);
  const bool listed = returned.is_array() && !returned.empty();
  if (property_of(*answer, "_AMQ_OperationSucceeded") == "true") return listed ? returned[0] : json();
  const std::string said = listed && returned[0].is_string() ? returned[0].get<std::string>() : answer->body;
  return error{kind_of(said), fmt::format("{} of {}: {}", operation, resource, said)};
}

status call_on_queue(requester& peer, const std::string& queue, const std::string& operation, std::int64_t timeout_ms) {
  const auto returned = call(peer, "queue." + queue, operation, json::array(), timeout_ms);
  return returned ? done() : status(returned.error());
}

// For operations of the broker that return JSON as text.
result<json> ask(requester& peer, const std::string& operation, const json& parameters, std::int64_t timeout_ms) {
  const auto returned = call(peer, "broker", operation, parameters, timeout_ms);
  if (!returned) return returned;
  json parsed = returned->is_string() ? json::parse(returned->get<std::string>(), nullptr, false) : json();
  if (!parsed.is_object()) return error{errc::internal, operation + ": the answer is no JSON object"};
  return parsed;
}

// The broker lists every attribute as text.
status differences(const formats::queue_declaration& queue, const json& found) {
  const json wanted = declaration_of(queue);
  constexpr std::array<std::pair<const char*, const char*>, 6> names{{{"routing-type", "routingType"},
                                                                      {"durable", "durable"},
                                                                      {"exclusive", "exclusive"},
                                                                      {"max-consumers", "maxConsumers"},
                                                                      {"purge-on-no-consumers", "purgeOnNoConsumers"},
                                                                      {"ring-size", "ringSize"}}};
  for (const auto& [asked, name] : names) {
    const json value = wanted.value(asked, json(-1));
    const std::string want = value.is_string() ? value.get<std::string>() : value.dump();
    const std::string have = found.value(name, std::string());
    if (have == want) continue;
    return error{errc::conflict,
                 fmt::format("queue {}: it exists with {} {}, wanted is {}", queue.name, asked, have, want)};
  }
  return done();
}

// Each operation is answered with HTTP 200; how it went is inside.
constexpr const char* script_operate =
    "name=$(call --data "
    "'{\"type\":\"read\",\"mbean\":\"org.apache.activemq.artemis:broker=*\",\"attribute\":\"Name\"}' "
    "\"$url/console/jolokia/\" |\n"
    "  sed -n 's/.*\"Name\":\"\\([^\"]*\\)\".*/\\1/p')\n"
    "[ -n \"$name\" ] || { echo \"$url: the management does not say the name of the broker: wrong user, password or "
    "origin\" >&2; exit 1; }\n"
    "# operate OPERATION ARGUMENTS [CODE]: an error with this code is none.\n"
    "operate() {\n"
    "  answer=$(call --data '{\"type\":\"exec\",\"mbean\":\"org.apache.activemq.artemis:broker=\\\"'\"$name\"'\\\"\","
    "\"operation\":\"'\"$1\"'\",\"arguments\":'\"$2\"'}' \"$url/console/jolokia/\")\n"
    "  case $answer in\n"
    "    *'\"status\":200'*) ;;\n"
    "    *\"${3:-AMQ000000}\"*) ;;\n"
    "    *) echo \"$1 $2: $answer\" >&2; return 1 ;;\n"
    "  esac\n"
    "}\n";

std::string script_head(const script_target& target) {
  return admin_script_head("ARTEMIS", target.management_url, "admin", "Origin: $url") + script_operate;
}

std::string script_call(const char* operation, const json& arguments, std::string_view passed_over = {}) {
  return fmt::format("operate '{}' '{}'{}{}\n", operation, arguments.dump(), passed_over.empty() ? "" : " ",
                     passed_over);
}

class artemis : public dialect_over_amqp {
 public:
  std::string declare_script(const script_target& target,
                             const std::vector<formats::queue_declaration>& queues) const override {
    std::string out = script_head(target);
    out += script_call("addAddressSettings(java.lang.String,java.lang.String)",
                       {settings_match, wanted_settings().dump()});
    for (const auto& queue : queues)
      out += script_call("createQueue(java.lang.String)", {declaration_of(queue).dump()}, queue_exists);
    return out;
  }

  std::string remove_script(const script_target& target,
                            const std::vector<formats::queue_declaration>& queues) const override {
    std::string out = script_head(target);
    for (const auto& queue : queues)
      out += script_call("destroyQueue(java.lang.String,boolean,boolean)", {queue.name, true, true}, no_such_queue);
    return out;
  }

  // Half of what is tolerated is advertised. Measured: never before 97 % of that.
  std::int64_t drops_after_ms(std::uint32_t advertised_ms) const override {
    return std::int64_t{advertised_ms} * 19 / 10;
  }
  std::optional<errc> meaning_of(std::string_view, std::string_view description) const override {
    if (description.find(consumers_max) != std::string_view::npos) return errc::in_use;
    if (description.find(no_permission) != std::string_view::npos) return errc::not_permitted;
    return std::nullopt;
  }

 private:
  // Settings that are right already are the administrator's, and stay.
  status prepare(requester& peer, const std::string& queue, std::int64_t timeout_ms) const override {
    const auto found = ask(peer, "getAddressSettingsAsJSON", {queue}, timeout_ms);
    if (!found) return found.error();
    const json wanted = wanted_settings();
    const auto right = [&](const std::string& key) {
      return key == "expiryAddress" ? found->value(key, "").empty() : found->value(key, json()) == wanted[key];
    };
    bool all = true;
    for (const auto& entry : wanted.items()) all = all && right(entry.key());
    if (all) return done();
    const auto set = call(peer, "broker", "addAddressSettings", {settings_match, wanted.dump()}, timeout_ms);
    return set ? done() : status(set.error());
  }
  status make(requester& peer, const formats::queue_declaration& queue, std::int64_t timeout_ms) const override {
    const auto made = call(peer, "broker", "createQueue", {declaration_of(queue).dump()}, timeout_ms);
    if (made) return done();
    if (made.error().code != errc::conflict) return made.error();
    const json which{{"field", "name"}, {"operation", "EQUALS"}, {"value", queue.name}};
    const auto listed = ask(peer, "listQueues", {which.dump(), 1, 1}, timeout_ms);
    if (!listed) return listed.error();
    const json data = listed->value("data", json::array());
    if (data.is_array() && !data.empty()) return differences(queue, data[0]);
    return error{errc::internal, fmt::format("queue {}: it exists and is not listed", queue.name)};
  }
  status unmake(requester& peer, const std::string& queue, std::int64_t timeout_ms) const override {
    const auto gone = call(peer, "broker", "destroyQueue", {queue, true, true}, timeout_ms);
    return gone ? done() : status(gone.error());
  }
  status empty(requester& peer, const std::string& queue, std::int64_t timeout_ms) const override {
    return call_on_queue(peer, queue, "removeAllMessages", timeout_ms);
  }
  status find(requester& peer, const std::string& queue, std::int64_t timeout_ms) const override {
    return call_on_queue(peer, queue, "countMessages", timeout_ms);
  }
};

}  // namespace

const dialect& artemis_dialect() {
  static const artemis only;
  return only;
}

}  // namespace baton::amqp
