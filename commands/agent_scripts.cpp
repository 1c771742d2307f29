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

std::string create_script(const std::string& agent, const std::string& qmgr, const std::string& host_options) {
  std::string out = head("Makes", agent, qmgr);
  for (const auto& queue : formats::agent_queues(agent)) {
    out += fmt::format("fteDefineQueue -m {} -type {}{} {}\n", qmgr, formats::to_string(queue.kind), host_options,
                       queue.name);
  }
  return out;
}

std::string delete_script(const std::string& agent, const std::string& qmgr, const std::string& host_options) {
  std::string out = head("Removes", agent, qmgr);
  for (const auto& queue : formats::agent_queues(agent)) {
    out += fmt::format("fteDeleteQueue -m {}{} {}\n", qmgr, host_options, queue.name);
  }
  return out;
}

}  // namespace baton::commands
