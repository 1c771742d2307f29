// Writing properties files from the tables.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "common/result.hpp"
#include "properties/property.hpp"

namespace baton {

// A properties file with these values, each with its help as a comment, in the order of the table. A name that is not
// in the table is a programming error.
std::string properties_text(const property_table& table, const std::map<std::string, std::string>& values);
status write_properties(const std::filesystem::path& file, const property_table& table,
                        const std::map<std::string, std::string>& values);

// Sets one property in a file, and leaves the rest of it as it is, comments too. Repeated lines of the property go.
status change_property(const std::filesystem::path& file, std::string_view name, std::string_view value);

// Every property of the table as a comment, with its help, unit, range and default: the shipped sample.
std::string sample_text(const property_table& table);

// docs/properties.md
std::string properties_markdown();

}  // namespace baton
