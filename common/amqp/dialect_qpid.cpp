// Apache Qpid Broker-J 9.x. Its management is reached over AMQP, at the node $management of the virtual host, so that
// no second port is needed: docs/brokers.md says what must be set up, and what is lost.
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "common/amqp/admin_script.hpp"
#include "common/amqp/dialect_over_amqp.hpp"

namespace baton::amqp {
namespace {

using attributes = std::map<std::string, std::string>;

constexpr const char* queue_type = "org.apache.qpid.Queue";

// What the broker does not list has this value.
const attributes& defaults() {
  static const attributes values{{"qpid-type", "standard"},
                                 {"durable", "false"},
                                 {"exclusive", "NONE"},
                                 {"messageGroupType", "NONE"},
                                 {"maximumQueueDepthMessages", "-1"},
                                 {"overflowPolicy", "NONE"}};
  return values;
}

// A queue whose messages are all of one group delivers to one consumer until that is gone: its single active consumer.
// maximumLiveConsumers=1 is not: who waits there is not woken.
attributes declaration_of(const formats::queue_declaration& queue) {
  attributes out{{"durable", "true"}, {"qpid-type", queue.priorities ? "priority" : "standard"}};
  if (queue.priorities) out["priorities"] = "10";
  if (queue.kind == formats::queue_kind::exclusive) out["exclusive"] = "LINK";
  if (queue.kind == formats::queue_kind::single_active) out["messageGroupType"] = "STANDARD";
  if (queue.messages_max > 0 && queue.drop_oldest) {
    out["maximumQueueDepthMessages"] = std::to_string(queue.messages_max);
    out["overflowPolicy"] = "RING";
  }
  return out;
}

// In paths of objects a slash that belongs to the name is escaped.
std::string path_of(const std::string& queue) {
  std::string out;
  for (const char c : queue) {
    if (c == '/' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

errc kind_of(const std::string& answered) {
  if (answered == "404") return errc::not_found;
  if (answered == "409") return errc::conflict;
  if (answered == "401" || answered == "403") return errc::not_permitted;
  return answered == "400" ? errc::bad_message : errc::internal;
}

// The attributes of the answer, if it has any. `body`: of a queue that is to be made.
result<attributes> call(requester& peer, const std::string& operation, const std::string& queue,
                        std::int64_t timeout_ms, attributes body = {}) {
  message request;
  request.durable = false;
  request.properties = {{"operation", operation}, {"type", queue_type}};
  if (body.empty()) request.properties.insert({{"index", "object-path"}, {"key", path_of(queue)}});
  request.fields = std::move(body);
  const auto answer = peer.request("$management", std::move(request), timeout_ms);
  if (!answer) return answer.error();
  const std::string code = property_of(*answer, "statusCode");
  if (code.starts_with('2')) return answer->fields;
  return error{kind_of(code),
               fmt::format("queue {}: {}: {} {}", queue, operation, code, property_of(*answer, "statusDescription"))};
}

status manage(requester& peer, const std::string& operation, const std::string& queue, std::int64_t timeout_ms) {
  const auto answer = call(peer, operation, queue, timeout_ms);
  return answer ? done() : status(answer.error());
}

std::string value_in(const attributes& of, const std::string& name) {
  if (const auto found = of.find(name); found != of.end()) return found->second;
  const auto usual = defaults().find(name);
  return usual == defaults().end() ? std::string() : usual->second;
}

status differences(const formats::queue_declaration& queue, const attributes& found) {
  attributes wanted = declaration_of(queue);
  wanted.insert(defaults().begin(), defaults().end());
  for (const auto& [name, want] : wanted) {
    const std::string have = value_in(found, name);
    if (have == want) continue;
    return error{errc::conflict,
                 fmt::format("queue {}: it exists with {} {}, wanted is {}", queue.name, name, have, want)};
  }
  return done();
}

std::string script_head(const script_target& target) {
  return admin_script_head("QPID", target.management_url, "admin") +
         "queues=$url/api/latest/queue/${QPID_VIRTUALHOST:-default/default}\n";
}

class qpid : public dialect_over_amqp {
 public:
  std::string declare_script(const script_target& target,
                             const std::vector<formats::queue_declaration>& queues) const override {
    std::string out = script_head(target);
    for (const auto& queue : queues) {
      out += fmt::format("call --request PUT --data '{}' \"$queues/{}\"\n",
                         nlohmann::json(declaration_of(queue)).dump(), percent_encoded(queue.name));
    }
    return out;
  }

  std::string remove_script(const script_target& target,
                            const std::vector<formats::queue_declaration>& queues) const override {
    std::string out = script_head(target) + admin_script_gone();
    for (const auto& queue : queues) out += fmt::format("gone \"$queues/{}\"\n", percent_encoded(queue.name));
    return out;
  }

  // It advertises the silence after which it drops.
  std::int64_t drops_after_ms(std::uint32_t advertised_ms) const override { return advertised_ms; }

 private:
  status make(requester& peer, const formats::queue_declaration& queue, std::int64_t timeout_ms) const override {
    attributes body = declaration_of(queue);
    body["name"] = queue.name;
    body["object-path"] = path_of(queue.name);
    const auto made = call(peer, "CREATE", queue.name, timeout_ms, std::move(body));
    if (made) return done();
    if (made.error().code != errc::conflict) return made.error();
    const auto found = call(peer, "READ", queue.name, timeout_ms);
    return found ? differences(queue, *found) : status(found.error());
  }
  status unmake(requester& peer, const std::string& queue, std::int64_t timeout_ms) const override {
    return manage(peer, "DELETE", queue, timeout_ms);
  }
  status empty(requester& peer, const std::string& queue, std::int64_t timeout_ms) const override {
    return manage(peer, "clearQueue", queue, timeout_ms);
  }
  status find(requester& peer, const std::string& queue, std::int64_t timeout_ms) const override {
    return manage(peer, "READ", queue, timeout_ms);
  }
};

}  // namespace

const dialect& qpid_dialect() {
  static const qpid only;
  return only;
}

}  // namespace baton::amqp
