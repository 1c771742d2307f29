#include "commands/agent_scripts.hpp"

#include <fmt/format.h>

#include "common/formats/queues.hpp"

namespace baton::commands {
namespace {

std::string head(const char* does, const std::string& agent, const std::string& qmgr) {
  return fmt::format("#!/bin/sh\n# {} the queues of the agent {} on the queue manager {}.\nset -e\n", does, agent,
                     qmgr);
}

}  // namespace

std::string create_script(const std::string& agent, const amqp::script_target& target, amqp::broker_kind kind) {
  return head("Makes", agent, target.qmgr) +
         amqp::dialect_of(kind).declare_script(target, formats::agent_queues(agent));
}

std::string delete_script(const std::string& agent, const amqp::script_target& target, amqp::broker_kind kind) {
  return head("Removes", agent, target.qmgr) +
         amqp::dialect_of(kind).remove_script(target, formats::agent_queues(agent));
}

}  // namespace baton::commands
