#include "commands/workspace.hpp"

#include <fmt/format.h>

#include "commands/console.hpp"

namespace baton::commands {

result<workspace> open_workspace(const arguments& words) {
  auto where = layout::from_environment();
  if (!where) return where.error();
  auto coordination = coordination_name(*where, words.text("p"));
  if (!coordination) return coordination.error();
  return workspace{std::move(*where), std::move(*coordination)};
}

result<property_set> load_properties(const std::filesystem::path& file, const property_table& table) {
  auto read = property_set::read(file, table);
  for (const std::string& warning : read.warnings) complain(messages::BFGPR0901W, warning);
  if (!read.ok()) return read.failure();
  return std::move(read.values);
}

result<property_set> load_agent(const workspace& work, const std::string& agent) {
  auto read = load_properties(work.where.agent_properties(work.coordination, agent), agent_properties());
  if (read || read.error().code != errc::not_found) return read;
  const auto known = configured_agents(work.where, work.coordination);
  return error{
      errc::not_found,
      fmt::format("the agent {} is not configured on this host in the set {} ({}): make it with fteCreateAgent", agent,
                  work.coordination,
                  known.empty() ? "no agent is" : fmt::format("agents here: {}", fmt::join(known, ", ")))};
}

result<property_set> load_coordination(const workspace& work) {
  return load_properties(work.where.coordination_properties(work.coordination), coordination_properties());
}

result<property_set> load_command(const workspace& work) {
  auto read = load_properties(work.where.command_properties(work.coordination), command_properties());
  if (read || read.error().code != errc::not_found) return read;
  return error{errc::not_found, fmt::format("the set {} does not say which queue manager commands connect to: run "
                                            "fteSetupCommands -p {} -connectionQMgr <queue manager>",
                                            work.coordination, work.coordination)};
}

}  // namespace baton::commands
