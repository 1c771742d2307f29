#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/amqp/dialect.hpp"
#include "common/amqp/requester.hpp"

namespace baton::amqp {
namespace {

errc kind_of(const std::string& answered) {
  if (answered == "404") return errc::not_found;
  if (answered == "409") return errc::conflict;
  if (answered == "400") return errc::bad_message;
  return errc::internal;
}

status manage(requester& peer, const std::string& operation, const std::string& queue, const nlohmann::json& body,
              std::int64_t timeout_ms) {
  message request;
  request.durable = false;
  request.properties = {{"operation", operation}, {"queue", queue}};
  request.body = body.dump();
  const auto answer = peer.request("$management", std::move(request), timeout_ms);
  if (!answer) return answer.error();
  const auto field = [&](const char* name) {
    const auto found = answer->properties.find(name);
    return found == answer->properties.end() ? std::string() : found->second;
  };
  const std::string answered = field("status");
  if (answered == "200") return done();
  return error{kind_of(answered), fmt::format("{} of queue {}: {}", operation, queue, field("description"))};
}

class embedded : public dialect {
 public:
  status declare(const connection_options& where, const std::vector<formats::queue_declaration>& queues,
                 std::int64_t timeout_ms) const override {
    auto peer = requester::connect(where, timeout_ms);
    if (!peer) return peer.error();
    for (const auto& queue : queues) {
      nlohmann::json body{{"type", formats::to_string(queue.kind)}};
      if (queue.messages_max > 0) body["maxMessages"] = queue.messages_max;
      if (queue.drop_oldest) body["overflow"] = "drop-oldest";
      if (const auto made = manage(**peer, "declare", queue.name, body, timeout_ms); !made) return made;
    }
    return done();
  }

  status remove(const connection_options& where, const std::vector<std::string>& queues,
                std::int64_t timeout_ms) const override {
    auto peer = requester::connect(where, timeout_ms);
    if (!peer) return peer.error();
    for (const auto& queue : queues) {
      const auto gone = manage(**peer, "delete", queue, nlohmann::json::object(), timeout_ms);
      if (!gone && gone.error().code != errc::not_found) return gone;
    }
    return done();
  }

  status purge(const connection_options& where, const std::string& queue, std::int64_t timeout_ms) const override {
    auto peer = requester::connect(where, timeout_ms);
    if (!peer) return peer.error();
    return manage(**peer, "purge", queue, nlohmann::json::object(), timeout_ms);
  }

  result<bool> exists(const connection_options& where, const std::string& queue,
                      std::int64_t timeout_ms) const override {
    auto peer = requester::connect(where, timeout_ms);
    if (!peer) return peer.error();
    const auto got = manage(**peer, "get", queue, nlohmann::json::object(), timeout_ms);
    if (!got && got.error().code != errc::not_found) return got.error();
    return got.ok();
  }

  result<std::string> make_reply_queue(const connection_options&, std::int64_t) const override {
    return error{errc::internal, "the embedded queue manager has dynamic queues"};
  }

  std::string declare_script(const script_target& target,
                             const std::vector<formats::queue_declaration>& queues) const override {
    std::string out;
    for (const auto& queue : queues) {
      out += fmt::format("fteDefineQueue -m {} -type {}{} {}\n", target.qmgr, formats::to_string(queue.kind),
                         target.host_options, queue.name);
    }
    return out;
  }

  std::string remove_script(const script_target& target,
                            const std::vector<formats::queue_declaration>& queues) const override {
    std::string out;
    for (const auto& queue : queues) {
      out += fmt::format("fteDeleteQueue -m {}{} {}\n", target.qmgr, target.host_options, queue.name);
    }
    return out;
  }

  bool refuses_second_consumer(formats::queue_kind kind) const override {
    return kind == formats::queue_kind::exclusive;
  }
  bool refuses_missing_queues() const override { return true; }
  bool has_dynamic_queues() const override { return true; }
  bool can_browse() const override { return true; }
  // What is advertised is half of what is tolerated.
  std::int64_t drops_after_ms(std::uint32_t advertised_ms) const override { return std::int64_t{advertised_ms} * 2; }
  bool settles_before_close() const override { return true; }
  std::string address_of(const std::string& queue) const override { return queue; }
  std::string queue_of(const std::string& address) const override { return address; }
  std::uint8_t priority_to_wire(std::uint8_t priority) const override { return priority; }
  std::uint8_t priority_from_wire(std::uint8_t priority) const override { return priority; }
  outcome outcome_to_wire(outcome how) const override { return how; }
};

}  // namespace

const dialect& embedded_dialect() {
  static const embedded only;
  return only;
}

}  // namespace baton::amqp
