#include "properties/property.hpp"

#include <algorithm>
#include <array>

#include "common/text.hpp"
#include "properties/nearest.hpp"

namespace baton {

std::string_view to_string(property_type type) {
  switch (type) {
    case property_type::text:
      return "text";
    case property_type::name:
      return "name";
    case property_type::path:
      return "path";
    case property_type::choice:
      return "choice";
    case property_type::boolean:
      return "boolean";
    case property_type::integer:
      return "integer";
    case property_type::bytes:
      return "bytes";
    case property_type::milliseconds:
      return "milliseconds";
    case property_type::seconds:
      return "seconds";
  }
  return "text";
}

bool is_number(property_type type) {
  return type == property_type::integer || type == property_type::bytes || type == property_type::milliseconds ||
         type == property_type::seconds;
}

const property* property_table::find(std::string_view name) const {
  const auto at = std::find_if(entries.begin(), entries.end(), [&](const property& p) { return p.name == name; });
  return at == entries.end() ? nullptr : &*at;
}

bool property_table::is_not_yet(std::string_view name) const {
  return std::find(not_yet.begin(), not_yet.end(), name) != not_yet.end();
}

std::string_view property_table::nearest(std::string_view name) const {
  std::vector<std::string_view> known;
  for (const property& p : entries) known.push_back(p.name);
  return nearest_word(name, known);
}

std::span<const property_table* const> all_property_tables() {
  static const std::array<const property_table*, 5> tables{&agent_properties(), &coordination_properties(),
                                                           &command_properties(), &installation_properties(),
                                                           &qmgr_properties()};
  return tables;
}

}  // namespace baton
