// What nearly every command needs first: the data root, the set of configuration, and properties files out of it.
#pragma once

#include <string>

#include "commands/arguments.hpp"
#include "common/result.hpp"
#include "properties/layout.hpp"
#include "properties/property_set.hpp"

namespace baton::commands {

struct workspace {
  layout where;
  std::string coordination;  // name of the set of configuration
};

// From the environment and the option -p.
result<workspace> open_workspace(const arguments& words);

// Reads a file; its warnings go to standard error.
result<property_set> load_properties(const std::filesystem::path& file, const property_table& table);

// The properties of an agent that is configured on this host; errc::not_found says which agents there are.
result<property_set> load_agent(const workspace& work, const std::string& agent);
result<property_set> load_coordination(const workspace& work);
result<property_set> load_command(const workspace& work);  // errc::not_found: fteSetupCommands was not run

}  // namespace baton::commands
