// A property is declared once, in a table: the reader, the shipped sample, docs/properties.md and the commands all work
// from that entry. Tables are constant; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace baton {

enum class property_type {
  text,          // any text
  name,          // name of an agent or queue manager, see names.hpp; kept in upper case
  path,          // path of a file or directory
  choice,        // one of a few words
  boolean,       // true or false
  integer,       // a plain number
  bytes,         // a number of bytes
  milliseconds,  // a duration
  seconds,       // a duration
};

// The word for a type, as the documentation prints it.
std::string_view to_string(property_type type);
bool is_number(property_type type);

struct property {
  std::string_view name;
  property_type type = property_type::text;
  std::string_view default_value;  // as it would stand in the file; empty: none
  std::int64_t min = 0, max = 0;   // range of a number, both ends included
  std::string_view choices;        // words of a choice, separated by '|'
  std::string_view help;           // one or two sentences
  bool required = false;
  std::string_view since = "0.1";  // first version of Baton that knows it
};

// All properties of one kind of file.
struct property_table {
  std::string_view file;     // "agent.properties"
  std::string_view purpose;  // one sentence
  std::span<const property> entries;
  std::span<const std::string_view> not_yet;  // properties of IBM MFT that Baton does not have (yet)

  const property* find(std::string_view name) const;  // null when unknown
  bool is_not_yet(std::string_view name) const;
  // The known name that is spelled most like this one; empty when none is near.
  std::string_view nearest(std::string_view name) const;
};

const property_table& agent_properties();
const property_table& coordination_properties();
const property_table& command_properties();
const property_table& installation_properties();
const property_table& qmgr_properties();

// All of the above.
std::span<const property_table* const> all_property_tables();

}  // namespace baton
