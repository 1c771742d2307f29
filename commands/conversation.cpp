#include "commands/conversation.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>

#include "commands/qmgr_request.hpp"
#include "common/formats/queues.hpp"
#include "common/loop.hpp"
#include "common/text.hpp"
#include "properties/connection.hpp"
#include "properties/names.hpp"

namespace baton::commands {
namespace {

// "no queue" in the words of somebody who thinks of agents.
error without_queue(const error& why, const std::string& what) {
  if (why.code != errc::not_found) return why;
  return {errc::not_found, what};
}

}  // namespace

result<amqp::endpoint> qmgr_of_agent(const workspace& work, const std::string& agent, const std::string& qmgr) {
  std::string wanted;
  if (!qmgr.empty()) {
    auto checked = checked_qmgr_name(qmgr);
    if (!checked) return checked.error();
    wanted = *checked;
  }
  const auto own = property_set::read(work.where.agent_properties(work.coordination, agent), agent_properties());
  if (own.ok() && (wanted.empty() || own.values.text("agentQMgr") == wanted)) {
    const auto found = first_that_answers(agent_qmgr_connection(own.values, work.where));
    return found ? result<amqp::endpoint>(found->peer) : result<amqp::endpoint>(found.error());
  }
  const auto commands = load_command(work);
  if (commands && (wanted.empty() || commands->text("connectionQMgr") == wanted)) {
    const auto found = first_that_answers(command_qmgr_connection(*commands, work.where));
    return found ? result<amqp::endpoint>(found->peer) : result<amqp::endpoint>(found.error());
  }
  if (wanted.empty()) return commands.error();
  const auto local = local_qmgr_connection(wanted, work.where);
  return local ? result<amqp::endpoint>(local->peer) : result<amqp::endpoint>(local.error());
}

amqp::message request_message(const workspace& work, const char* subject, std::string body, std::int64_t timeout_ms) {
  amqp::message out;
  const auto defaults = property_set::read(work.where.installation_properties(), installation_properties());
  out.durable = false;
  out.ttl_ms = static_cast<std::uint32_t>(timeout_ms);
  out.priority = static_cast<std::uint8_t>(defaults.values.integer("commandMessagePriority"));
  out.subject = subject;
  out.body = std::move(body);
  out.properties = {{"user", user_name()}, {"host", host_name()}};
  return out;
}

result<formats::reply> ask_agent(const workspace& work, const std::string& agent, const std::string& qmgr,
                                 const char* subject, const std::string& body, std::int64_t timeout_ms) {
  const std::int64_t deadline = boot_time_ms() + timeout_ms;
  const auto peer = qmgr_of_agent(work, agent, qmgr);
  if (!peer) return peer.error();
  auto conversation = amqp::requester::connect(command_connection(*peer, timeout_ms), timeout_ms);
  if (!conversation) return conversation.error();
  const std::int64_t left = std::max<std::int64_t>(deadline - boot_time_ms(), 1);
  const auto answer =
      (*conversation)->request(formats::command_queue(agent), request_message(work, subject, body, left), left);
  if (answer) return formats::read_reply(answer->body);
  return without_queue(answer.error(),
                       fmt::format("there is no agent {} on its queue manager: fteListAgents lists the agents", agent));
}

status nobody_active(const workspace& work, const std::string& agent) {
  constexpr std::int64_t patience_ms = 1000;
  const auto properties = load_agent(work, agent);
  if (!properties || !properties->boolean("highlyAvailable")) return done();
  const auto answered = ask_agent(work, agent, "", formats::subject::agent_ping, "", patience_ms);
  if (!answered) return done();
  return error{errc::in_use, fmt::format("instance {} of the agent {} is active on host {}: stop all instances first",
                                         answered->detail("instance", "?"), agent, answered->detail("host", "?"))};
}

result<formats::answer> ask_coordination(const workspace& work, const formats::query& question,
                                         std::int64_t timeout_ms) {
  const auto properties = load_coordination(work);
  if (!properties) return properties.error();
  const auto peer = first_that_answers(coordination_qmgr_connection(*properties, work.where), timeout_ms);
  if (!peer) return peer.error();
  auto conversation = amqp::requester::connect(command_connection(peer->peer, timeout_ms), timeout_ms);
  if (!conversation) return conversation.error();
  const auto reply =
      (*conversation)
          ->request(formats::query_queue,
                    request_message(work, formats::subject::query, formats::to_json(question), timeout_ms), timeout_ms);
  if (!reply && reply.error().code == errc::timed_out) {
    return error{errc::timed_out,
                 fmt::format("the coordination service on {} does not answer: see its log, or start it "
                             "with fteStartCoordination",
                             peer->qmgr)};
  }
  if (!reply) {
    return without_queue(reply.error(), fmt::format("no coordination service has run on {} yet: start it with "
                                                    "fteStartCoordination",
                                                    peer->qmgr));
  }
  auto answer = formats::read_answer(reply->body);
  if (!answer || answer->result_code == 0) return answer;
  return error{errc::not_found, answer->text};
}

std::string user_name() {
  char buffer[4096];
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(geteuid(), &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr) return found->pw_name;
  return std::to_string(geteuid());
}

}  // namespace baton::commands
