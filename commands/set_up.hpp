// Writing the files of a set of configuration: shared by the set-up commands.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "commands/arguments.hpp"
#include "common/result.hpp"
#include "properties/property.hpp"

namespace baton::commands {

using property_values = std::map<std::string, std::string>;

// The values of the options whose keys are properties of the table, checked as the table says; errc::bad_usage names
// the option. "-agentQMgrPort 99999" is refused here.
result<property_values> values_of_options(const arguments& words, const property_table& table);

// Writes the file. One that exists is only replaced when `replace` is set: errc::already_exists otherwise.
status write_new_properties(const std::filesystem::path& file, const property_table& table,
                            const property_values& values, bool replace);

}  // namespace baton::commands
