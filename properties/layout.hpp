// Where everything is on disk, under the data root: $BFG_DATA, or $HOME/.baton. Only computes paths; creates nothing.
//
//   mqft/installations/default/installation.properties
//   mqft/config/<coordination>/coordination.properties, command.properties
//   mqft/config/<coordination>/agents/<agent>/agent.properties, <agent>_create.sh, <agent>_delete.sh
//   mqft/logs/<coordination>/agents/<agent>/agent.pid, controller.pid, agent.role, logs/
//   mqft/coordination/<coordination>/coordination.db, coordination.pid
//   qmgrs/<qmgr>/qmgr.properties, store.db, qmgr.pid, qmgr.address, logs/
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"

namespace baton {

class layout {
 public:
  explicit layout(std::filesystem::path root) : root_(std::move(root)) {}
  // From the environment, as an absolute path. Fails when neither BFG_DATA nor a home directory is known.
  static result<layout> from_environment();

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path installation_properties() const;

  std::filesystem::path config(std::string_view coordination) const;
  std::filesystem::path coordination_properties(std::string_view coordination) const;
  std::filesystem::path command_properties(std::string_view coordination) const;
  std::filesystem::path agents(std::string_view coordination) const;
  std::filesystem::path agent_config(std::string_view coordination, std::string_view agent) const;
  std::filesystem::path agent_properties(std::string_view coordination, std::string_view agent) const;

  std::filesystem::path agent_run(std::string_view coordination, std::string_view agent) const;  // agent.pid and logs/
  std::filesystem::path agent_pid(std::string_view coordination, std::string_view agent) const;
  std::filesystem::path controller_pid(std::string_view coordination, std::string_view agent) const;
  // One line, "role pid", of the instance of this host: starting, standby, active, stopped.
  std::filesystem::path agent_role(std::string_view coordination, std::string_view agent) const;
  std::filesystem::path agent_logs(std::string_view coordination, std::string_view agent) const;
  std::filesystem::path coordination_logs(std::string_view coordination) const;
  std::filesystem::path coordination_pid(std::string_view coordination) const;
  std::filesystem::path coordination_store(std::string_view coordination) const;  // the history of transfers

  std::filesystem::path qmgr(std::string_view name) const;
  std::filesystem::path qmgr_properties(std::string_view name) const;
  std::filesystem::path qmgr_store(std::string_view name) const;
  std::filesystem::path qmgr_pid(std::string_view name) const;
  std::filesystem::path qmgr_address(std::string_view name) const;  // one line, "host port", while it runs
  std::filesystem::path qmgr_logs(std::string_view name) const;

 private:
  std::filesystem::path root_;
};

// The set of configuration to use: the -p option when given, else defaultProperties of installation.properties.
// Fails when neither says one, or when that set does not exist (errc::not_found); the text says what to do.
result<std::string> coordination_name(const layout& where, std::string_view option);

// The names of the sets of configuration that exist, and of the agents of one, sorted.
std::vector<std::string> configured_coordinations(const layout& where);
std::vector<std::string> configured_agents(const layout& where, std::string_view coordination);

// The home directory of this user: $HOME, else the password database; empty when neither knows.
std::filesystem::path home_directory();

}  // namespace baton
