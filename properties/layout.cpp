#include "properties/layout.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>

#include "properties/names.hpp"
#include "properties/property_set.hpp"

namespace baton {

namespace fs = std::filesystem;

fs::path home_directory() {
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') return home;
  char buffer[4096];
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(geteuid(), &entry, buffer, sizeof buffer, &found) != 0 || found == nullptr) return {};
  return found->pw_dir;
}

result<layout> layout::from_environment() {
  fs::path root;
  if (const char* data = std::getenv("BFG_DATA"); data != nullptr && *data != '\0')
    root = data;
  else if (const fs::path home = home_directory(); !home.empty())
    root = home / ".baton";
  if (root.empty()) {
    return error{errc::not_found, "there is no data root: set the environment variable BFG_DATA to a directory"};
  }
  std::error_code failure;
  const fs::path absolute = fs::absolute(root, failure);
  if (failure) return error{errc::io, fmt::format("{}: {}", root.native(), failure.message())};
  return layout(absolute.lexically_normal());
}

fs::path layout::installation_properties() const {
  return root_ / "mqft/installations/default/installation.properties";
}
fs::path layout::config(std::string_view coordination) const {
  return root_ / "mqft/config" / coordination;
}
fs::path layout::coordination_properties(std::string_view coordination) const {
  return config(coordination) / "coordination.properties";
}
fs::path layout::command_properties(std::string_view coordination) const {
  return config(coordination) / "command.properties";
}
fs::path layout::agents(std::string_view coordination) const {
  return config(coordination) / "agents";
}
fs::path layout::agent_config(std::string_view coordination, std::string_view agent) const {
  return agents(coordination) / agent;
}
fs::path layout::agent_properties(std::string_view coordination, std::string_view agent) const {
  return agent_config(coordination, agent) / "agent.properties";
}
fs::path layout::agent_run(std::string_view coordination, std::string_view agent) const {
  return root_ / "mqft/logs" / coordination / "agents" / agent;
}
fs::path layout::agent_pid(std::string_view coordination, std::string_view agent) const {
  return agent_run(coordination, agent) / "agent.pid";
}
fs::path layout::controller_pid(std::string_view coordination, std::string_view agent) const {
  return agent_run(coordination, agent) / "controller.pid";
}
fs::path layout::agent_role(std::string_view coordination, std::string_view agent) const {
  return agent_run(coordination, agent) / "agent.role";
}
fs::path layout::agent_logs(std::string_view coordination, std::string_view agent) const {
  return agent_run(coordination, agent) / "logs";
}
fs::path layout::coordination_logs(std::string_view coordination) const {
  return root_ / "mqft/logs" / coordination / "coordination";
}
fs::path layout::coordination_pid(std::string_view coordination) const {
  return root_ / "mqft/coordination" / coordination / "coordination.pid";
}
fs::path layout::coordination_store(std::string_view coordination) const {
  return root_ / "mqft/coordination" / coordination / "coordination.db";
}
fs::path layout::qmgr(std::string_view name) const {
  return root_ / "qmgrs" / name;
}
fs::path layout::qmgr_properties(std::string_view name) const {
  return qmgr(name) / "qmgr.properties";
}
fs::path layout::qmgr_store(std::string_view name) const {
  return qmgr(name) / "store.db";
}
fs::path layout::qmgr_pid(std::string_view name) const {
  return qmgr(name) / "qmgr.pid";
}
fs::path layout::qmgr_address(std::string_view name) const {
  return qmgr(name) / "qmgr.address";
}
fs::path layout::qmgr_logs(std::string_view name) const {
  return qmgr(name) / "logs";
}

namespace {

std::vector<std::string> folders_with(const fs::path& parent, std::string_view file) {
  std::vector<std::string> names;
  std::error_code failure;
  for (fs::directory_iterator at(parent, failure), end; !failure && at != end; at.increment(failure)) {
    std::error_code ignored;
    if (fs::exists(at->path() / file, ignored)) names.push_back(at->path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

result<std::string> default_coordination(const layout& where) {
  const auto read = property_set::read(where.installation_properties(), installation_properties());
  if (!read.ok() && !read.missing) return read.failure();
  const std::string& name = read.values.text("defaultProperties");
  if (!name.empty()) return name;
  return error{errc::not_found,
               fmt::format("there is no default set of configuration under {}: make one with fteSetupCoordination, "
                           "choose one with fteChangeDefaultConfigurationOptions, or name one with -p",
                           where.root().native())};
}

}  // namespace

std::vector<std::string> configured_coordinations(const layout& where) {
  return folders_with(where.root() / "mqft/config", "coordination.properties");
}
std::vector<std::string> configured_agents(const layout& where, std::string_view coordination) {
  return folders_with(where.agents(coordination), "agent.properties");
}

result<std::string> coordination_name(const layout& where, std::string_view option) {
  const auto name = option.empty() ? default_coordination(where) : checked_qmgr_name(option);
  if (!name) return name;
  std::error_code failure;
  if (fs::exists(where.coordination_properties(*name), failure)) return name;
  const auto known = configured_coordinations(where);
  return error{errc::not_found, fmt::format("there is no set of configuration \"{}\" under {} ({}): make it with "
                                            "fteSetupCoordination -coordinationQMgr {}",
                                            *name, where.root().native(),
                                            known.empty() ? "there is none at all"
                                                          : fmt::format("there are: {}", fmt::join(known, ", ")),
                                            *name)};
}

}  // namespace baton
