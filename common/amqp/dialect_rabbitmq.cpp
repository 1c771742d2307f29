// RabbitMQ 3.10 with the plugins rabbitmq_amqp1_0 and rabbitmq_management. docs/brokers.md says what is lost on it, and
// decision 009 what its AMQP 1.0 makes necessary.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/amqp/admin_script.hpp"
#include "common/amqp/dialect.hpp"
#include "common/amqp/http.hpp"
#include "common/loop.hpp"
#include "common/random.hpp"

namespace baton::amqp {
namespace {

using nlohmann::json;

// Only this form of address never makes a queue by itself, with attributes that nobody asked for.
constexpr std::string_view address_prefix = "/amq/queue/";
constexpr int queue_priorities = 10;
// Long enough for a command to attach, short enough that what killed ones leave behind does not pile up.
constexpr int reply_queue_expires_ms = 60000;
constexpr std::uint8_t amqp_default_priority = 4;
// Killed sooner, this broker rarely comes back without a queue that it had just made, and so without what was on it:
// then its database's log was still in its memory, which it writes every 2 s at the latest.
constexpr std::chrono::milliseconds until_queues_are_kept{2500};

// Never a limit that refuses (reject-publish): it ends this broker's session without an outcome for the message.
// A quorum queue has no priorities, and this broker refuses to make one that asks for them.
json arguments_of(const formats::queue_declaration& queue, bool quorum) {
  json arguments = json::object();
  if (quorum) arguments["x-queue-type"] = "quorum";
  if (queue.kind != formats::queue_kind::shared) arguments["x-single-active-consumer"] = true;
  if (queue.priorities && !quorum) arguments["x-max-priority"] = queue_priorities;
  if (queue.messages_max > 0 && queue.drop_oldest) {
    arguments["x-max-length"] = queue.messages_max;
    arguments["x-overflow"] = "drop-head";
  }
  return arguments;
}

json declaration_of(const formats::queue_declaration& queue, bool quorum) {
  return {{"durable", true}, {"auto_delete", false}, {"arguments", arguments_of(queue, quorum)}};
}

std::string path_of(const std::string& queue) {
  return "/api/queues/%2F/" + percent_encoded(queue);
}

errc kind_of(const http_answer& answer) {
  if (answer.status == 401 || answer.status == 403) return errc::not_permitted;
  if (answer.status == 404) return errc::not_found;
  if (answer.body.find("inequivalent arg") != std::string::npos) return errc::conflict;
  return answer.status == 400 ? errc::bad_message : errc::internal;
}

std::string reason_of(const http_answer& answer) {
  const auto parsed = json::parse(answer.body, nullptr, false);
  if (parsed.is_object() && parsed.contains("reason") && parsed["reason"].is_string()) return parsed["reason"];
  constexpr std::size_t shown_max = 200;
  return answer.body.substr(0, shown_max);
}

// With an answer of the 200s whether something was made; everything else is an error that names the queue.
result<bool> manage(const connection_options& where, const std::string& method, const std::string& queue,
                    const std::string& below, const json* body, std::int64_t timeout_ms) {
  const endpoint& peer = where.peer;
  http_request request;
  request.method = method;
  request.url = peer.management_url.empty() ? default_management_url(peer) : peer.management_url;
  while (request.url.ends_with('/')) request.url.pop_back();
  request.url += path_of(queue) + below;
  // Whoever says no name over AMQP is this broker's guest, whom it lets in from its own host only.
  request.user = peer.user.empty() ? "guest" : peer.user;
  request.password = peer.user.empty() ? "guest" : peer.password;
  request.tls = peer.tls;
  if (body != nullptr) request.body = body->dump();
  const auto answer = http_call(request, timeout_ms);
  if (!answer) return error{answer.error().code, fmt::format("queue {}: {}", queue, answer.error().text)};
  if (answer->status >= 200 && answer->status < 300) return answer->status == 201;
  return error{kind_of(*answer), fmt::format("queue {}: {} {} was answered with {}: {}", queue, method, request.url,
                                             answer->status, reason_of(*answer))};
}

// The first error ends it. may_be_new: whether one was made, or may have been by a request that got no answer.
status make(const connection_options& where, const std::vector<formats::queue_declaration>& queues,
            std::int64_t deadline, bool& may_be_new) {
  for (const auto& queue : queues) {
    const json body = declaration_of(queue, where.peer.quorum_queues);
    const auto made = manage(where, "PUT", queue.name, "", &body, deadline - boot_time_ms());
    may_be_new = may_be_new || (made ? *made : made.error().code == errc::timed_out);
    if (!made) return made.error();
  }
  return done();
}

std::string script_head(const script_target& target) {
  return admin_script_head("RABBITMQ", target.management_url, "guest");
}

class rabbitmq : public dialect {
 public:
  status declare(const connection_options& where, const std::vector<formats::queue_declaration>& queues,
                 std::int64_t timeout_ms) const override {
    bool may_be_new = false;
    const auto made = make(where, queues, boot_time_ms() + timeout_ms, may_be_new);
    // Also after an error: whoever tries again finds what was made, and could not know its age.
    if (may_be_new) std::this_thread::sleep_for(until_queues_are_kept);
    return made;
  }

  status remove(const connection_options& where, const std::vector<std::string>& queues,
                std::int64_t timeout_ms) const override {
    const std::int64_t deadline = boot_time_ms() + timeout_ms;
    for (const auto& queue : queues) {
      const auto gone = manage(where, "DELETE", queue, "", nullptr, deadline - boot_time_ms());
      if (!gone && gone.error().code != errc::not_found) return gone.error();
    }
    return done();
  }

  status purge(const connection_options& where, const std::string& queue, std::int64_t timeout_ms) const override {
    const auto emptied = manage(where, "DELETE", queue, "/contents", nullptr, timeout_ms);
    if (!emptied) return emptied.error();
    return done();
  }

  result<bool> exists(const connection_options& where, const std::string& queue,
                      std::int64_t timeout_ms) const override {
    // Without the statistics, which are costly and not needed.
    const auto got = manage(where, "GET", queue, "?disable_stats=true&enable_queue_totals=true", nullptr, timeout_ms);
    if (!got && got.error().code != errc::not_found) return got.error();
    return got.ok();
  }

  result<std::string> make_reply_queue(const connection_options& where, std::int64_t timeout_ms) const override {
    const std::string name = "SYSTEM.FTE.REPLY.COMMAND." + random_hex(12);
    const json body{{"durable", false}, {"auto_delete", true}, {"arguments", {{"x-expires", reply_queue_expires_ms}}}};
    const auto made = manage(where, "PUT", name, "", &body, timeout_ms);
    if (!made) return made.error();
    return name;
  }

  std::string declare_script(const script_target& target,
                             const std::vector<formats::queue_declaration>& queues) const override {
    std::string out = script_head(target);
    for (const auto& queue : queues) {
      out += fmt::format("call --request PUT --data '{}' \"$url{}\"\n",
                         declaration_of(queue, target.quorum_queues).dump(), path_of(queue.name));
    }
    return out + fmt::format("sleep {}  # killed sooner, the broker could come back without them\n",
                             std::chrono::duration<double>(until_queues_are_kept).count());
  }

  std::string remove_script(const script_target& target,
                            const std::vector<formats::queue_declaration>& queues) const override {
    std::string out = script_head(target) + admin_script_gone();
    for (const auto& queue : queues) {
      out += fmt::format("gone \"$url{}\"\n", path_of(queue.name));
    }
    return out;
  }

  bool refuses_second_consumer(formats::queue_kind) const override { return false; }
  bool has_consumer_priority() const override { return false; }  // for AMQP 1.0: the longest waiting one is next
  bool refuses_missing_queues() const override { return false; }
  bool has_dynamic_queues() const override { return false; }
  // Measured: between 4.1 and 6 heartbeats.
  std::int64_t drops_after_ms(std::uint32_t advertised_ms) const override {
    return std::int64_t{advertised_ms} * 41 / 10;
  }
  bool can_drain() const override { return false; }   // of a classic queue: it would end the session
  bool can_browse() const override { return false; }  // it would echo the wish, and consume
  bool settles_before_close() const override { return false; }
  // Each queue has a journal of its own, which is synced when the queue is idle, or else every 200 ms. Nobody is told.
  std::int64_t settlement_lag_ms() const override { return 1000; }

  std::string address_of(const std::string& queue) const override {
    return std::string(address_prefix) + percent_encoded(queue);
  }
  std::string queue_of(const std::string& address) const override {
    if (!address.starts_with(address_prefix)) return address;
    return percent_decoded(std::string_view(address).substr(address_prefix.size()));
  }

  // AMQP's default, 4, is left out on the wire, and this broker takes what is left out for 0. So 4 is never sent.
  std::uint8_t priority_to_wire(std::uint8_t priority) const override {
    return priority < amqp_default_priority ? priority : static_cast<std::uint8_t>(std::min<int>(priority, 9) + 1);
  }
  std::uint8_t priority_from_wire(std::uint8_t priority) const override {
    return priority <= amqp_default_priority ? priority : static_cast<std::uint8_t>(priority - 1);
  }
  // This broker ends the session over `modified`.
  outcome outcome_to_wire(outcome how) const override { return how == outcome::modified ? outcome::released : how; }

  // The same condition as for a queue that is declared otherwise.
  std::optional<errc> meaning_of(std::string_view condition, std::string_view description) const override {
    const bool held_too_long = description.find("timed out") != std::string_view::npos;
    return condition == "amqp:precondition-failed" && held_too_long ? std::optional(errc::timed_out) : std::nullopt;
  }
};

}  // namespace

const dialect& rabbitmq_dialect() {
  static const rabbitmq only;
  return only;
}

}  // namespace baton::amqp
