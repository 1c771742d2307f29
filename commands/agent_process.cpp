#include "commands/agent_process.hpp"

#include <cstdlib>

#include "common/text.hpp"
#include "properties/atomic_file.hpp"
#include "properties/pid_file.hpp"

namespace baton::commands {

std::optional<pid_t> running_controller(const workspace& work, const std::string& agent) {
  return pid_file_holder(work.where.controller_pid(work.coordination, agent));
}
std::optional<pid_t> running_agent(const workspace& work, const std::string& agent) {
  return pid_file_holder(work.where.agent_pid(work.coordination, agent));
}
std::string local_role(const workspace& work, const std::string& agent) {
  const auto process = running_agent(work, agent);
  const auto line = read_small_file(work.where.agent_role(work.coordination, agent), 200);
  if (!process || !line) return {};
  // Of an earlier process it says nothing.
  const auto words = split(*line, ' ');
  return words.size() == 2 && std::atoi(words[1].c_str()) == *process ? words[0] : std::string();
}
bool is_running(const workspace& work, const std::string& agent) {
  return running_controller(work, agent) || running_agent(work, agent);
}

}  // namespace baton::commands
