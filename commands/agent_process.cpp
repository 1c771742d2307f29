#include "commands/agent_process.hpp"

#include "properties/pid_file.hpp"

namespace baton::commands {

std::optional<pid_t> running_controller(const workspace& work, const std::string& agent) {
  return pid_file_holder(work.where.controller_pid(work.coordination, agent));
}
std::optional<pid_t> running_agent(const workspace& work, const std::string& agent) {
  return pid_file_holder(work.where.agent_pid(work.coordination, agent));
}
bool is_running(const workspace& work, const std::string& agent) {
  return running_controller(work, agent) || running_agent(work, agent);
}

}  // namespace baton::commands
