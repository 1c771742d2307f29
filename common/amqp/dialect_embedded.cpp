#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/amqp/dialect_over_amqp.hpp"

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
  const std::string answered = property_of(*answer, "status");
  if (answered == "200") return done();
  return error{kind_of(answered),
               fmt::format("{} of queue {}: {}", operation, queue, property_of(*answer, "description"))};
}

class embedded : public dialect_over_amqp {
 public:
  bool has_exclusive_receivers() const override { return true; }
  std::uint32_t chunk_bytes() const override { return 1 << 20; }
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

  // What is advertised is half of what is tolerated.
  std::int64_t drops_after_ms(std::uint32_t advertised_ms) const override { return std::int64_t{advertised_ms} * 2; }

 private:
  status make(requester& peer, const formats::queue_declaration& queue, std::int64_t timeout_ms) const override {
    nlohmann::json body{{"type", formats::to_string(queue.kind)}};
    if (queue.messages_max > 0) body["maxMessages"] = queue.messages_max;
    if (queue.drop_oldest) body["overflow"] = "drop-oldest";
    return manage(peer, "declare", queue.name, body, timeout_ms);
  }
  status unmake(requester& peer, const std::string& queue, std::int64_t timeout_ms) const override {
    return manage(peer, "delete", queue, nlohmann::json::object(), timeout_ms);
  }
  status empty(requester& peer, const std::string& queue, std::int64_t timeout_ms) const override {
    return manage(peer, "purge", queue, nlohmann::json::object(), timeout_ms);
  }
  status find(requester& peer, const std::string& queue, std::int64_t timeout_ms) const override {
    return manage(peer, "get", queue, nlohmann::json::object(), timeout_ms);
  }
};

}  // namespace

const dialect& embedded_dialect() {
  static const embedded only;
  return only;
}

}  // namespace baton::amqp
