#include "commands/agent_scripts.hpp"

#include <fmt/format.h>

#include "common/formats/queues.hpp"

namespace baton::commands {
namespace {

std::string head(const char* does, const std::string& agent, const std::string& qmgr) {
  return fmt::format("#!/bin/sh\n# {} the queues of the agent {} on the queue manager {}.\nset -e\n", does, agent,
                     qmgr);
}

std::string host_options(const qmgr_connection& found, const amqp::endpoint& peer) {
  return found.bindings ? std::string() : fmt::format(" -host {} -port {}", peer.host, peer.port);
}

}  // namespace

std::string create_script(const std::string& agent, const qmgr_connection& found) {
  std::string out = head("Makes", agent, found.qmgr);
  for (const auto& peer : found.all()) {
    const amqp::script_target target{found.qmgr, host_options(found, peer), peer.management_url, peer.quorum_queues};
    out += amqp::dialect_of(peer.kind).declare_script(target, formats::agent_queues(agent));
  }
  return out;
}

std::string delete_script(const std::string& agent, const qmgr_connection& found) {
  std::string out = head("Removes", agent, found.qmgr);
  for (const auto& peer : found.all()) {
    const amqp::script_target target{found.qmgr, host_options(found, peer), peer.management_url, peer.quorum_queues};
    out += amqp::dialect_of(peer.kind).remove_script(target, formats::agent_queues(agent));
  }
  return out;
}

}  // namespace baton::commands
