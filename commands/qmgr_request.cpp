#include "commands/qmgr_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "common/amqp/probe.hpp"
#include "common/amqp/requester.hpp"

namespace baton::commands {
namespace {

std::string field(const amqp::message& answer, const char* name) {
  const auto at = answer.properties.find(name);
  return at == answer.properties.end() ? std::string() : at->second;
}

errc kind_of(const std::string& status) {
  if (status == "404") return errc::not_found;
  if (status == "409") return errc::conflict;
  if (status == "401" || status == "403") return errc::not_permitted;
  return errc::internal;
}

}  // namespace

amqp::connection_options command_connection(const amqp::endpoint& peer, std::int64_t timeout_ms) {
  amqp::connection_options options;
  options.peer = peer;
  options.name = "fte";
  options.connect_timeout_ms = static_cast<std::uint32_t>(timeout_ms);
  return options;
}

result<qmgr_connection> first_that_answers(result<qmgr_connection> found, std::int64_t timeout_ms) {
  if (!found || found->more.empty()) return found;
  auto peers = found->all();
  if (found->randomize) std::shuffle(peers.begin(), peers.end(), std::mt19937_64(std::random_device{}()));
  // One that says nothing must not take the time of the others.
  const auto share = timeout_ms / static_cast<std::int64_t>(peers.size());
  const std::int64_t patience_ms = std::max<std::int64_t>(std::min(found->connect_timeout_ms, share), 1);
  std::string tried;
  for (const auto& peer : peers) {
    const auto up = amqp::answers(command_connection(peer, patience_ms), patience_ms);
    if (up) {
      found->peer = peer;
      found->more.clear();
      return found;
    }
    if (up.error().code == errc::not_permitted) return up.error();
    tried += (tried.empty() ? "" : "; ") + up.error().text;
  }
  return error{errc::unreachable, fmt::format("no queue manager of the list answers: {}", tried)};
}

result<nlohmann::json> ask_qmgr(const amqp::endpoint& peer, const std::string& operation, const nlohmann::json& body,
                                std::int64_t timeout_ms) {
  auto conversation = amqp::requester::connect(command_connection(peer, timeout_ms), timeout_ms);
  if (!conversation) return conversation.error();
  amqp::message question;
  question.durable = false;
  question.properties = {{"operation", operation}};
  question.body = body.dump();
  const auto answer = (*conversation)->request("$management", std::move(question), timeout_ms);
  if (!answer) return answer.error();
  const std::string status = field(*answer, "status");
  if (status != "200") return error{kind_of(status), fmt::format("{}: {}", operation, field(*answer, "description"))};
  if (answer->body.empty()) return nlohmann::json::object();
  auto parsed = nlohmann::json::parse(answer->body, nullptr, false);
  if (parsed.is_discarded()) return error{errc::bad_message, "the queue manager's answer is not JSON"};
  return parsed;
}

}  // namespace baton::commands
