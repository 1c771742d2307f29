#include "properties/write.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <set>

#include "common/text.hpp"
#include "properties/atomic_file.hpp"
#include "properties/check_value.hpp"
#include "properties/java_format.hpp"

namespace baton {
namespace {

constexpr std::size_t comment_width = 110;

// Text as comment lines, broken between words.
std::string comment(std::string_view text) {
  std::string out, line = "#";
  for (const std::string& word : split(text, ' ')) {
    if (line.size() + 1 + word.size() > comment_width) {
      out += line + '\n';
      line = "#";
    }
    line += ' ' + word;
  }
  return out + line + '\n';
}

std::string default_in_words(const property& p) {
  if (p.required) return "required";
  return p.default_value.empty() ? "no default" : fmt::format("default {}", p.default_value);
}

std::string header(const property_table& table) {
  return comment(fmt::format("{}: {}", table.file, table.purpose));
}

std::string markdown_cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string markdown_table(const property_table& table) {
  std::string out = fmt::format("\n## {}\n\n{}\n\n", table.file, table.purpose);
  out += "| property | type | default | values | meaning | since |\n|---|---|---|---|---|---|\n";
  for (const property& p : table.entries) {
    const std::string fallback = p.required                ? "required"
                                 : p.default_value.empty() ? ""
                                                           : fmt::format("`{}`", p.default_value);
    const bool has_values = is_number(p.type) || p.type == property_type::choice;
    out += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", p.name, to_string(p.type), fallback,
                       has_values ? markdown_cell(expected_values(p)) : "", markdown_cell(p.help), p.since);
  }
  if (table.not_yet.empty()) return out;
  return out +
         fmt::format("\nProperties of IBM MFT that Baton does not have; a file that sets one gets a warning: `{}`.\n",
                     fmt::join(table.not_yet, "`, `"));
}

}  // namespace

std::string properties_text(const property_table& table, const std::map<std::string, std::string>& values) {
  for (const auto& [name, value] : values) {
    if (table.find(name) == nullptr) std::abort();  // a bug of the caller, see write.hpp
  }
  std::string out = header(table);
  for (const property& p : table.entries) {
    const auto at = values.find(std::string(p.name));
    if (at == values.end()) continue;
    out += fmt::format("\n{}{}={}\n", comment(p.help), p.name, escape_java_value(at->second));
  }
  return out;
}

status change_property(const std::filesystem::path& file, std::string_view name, std::string_view value) {
  const auto content = read_small_file(file);
  if (!content) return content.error();
  // A property's lines: from its first one for as long as a line ends in an odd number of backslashes.
  std::set<int> starts;
  for (const auto& p : parse_java_properties(*content).properties) {
    if (p.name == name) starts.insert(p.line);
  }
  std::string kept;
  int number = 0;
  bool dropping = false;
  for (const std::string& line : split(*content, '\n')) {
    ++number;
    if (!dropping) dropping = starts.contains(number);
    if (!dropping) kept += line + '\n';
    const auto last = line.find_last_not_of('\\');
    const std::size_t backslashes = last == std::string::npos ? line.size() : line.size() - last - 1;
    dropping = dropping && backslashes % 2 == 1;
  }
  while (kept.ends_with("\n\n")) kept.pop_back();
  kept += fmt::format("{}={}\n", name, escape_java_value(value));
  return write_file_atomically(file, kept);
}

status write_properties(const std::filesystem::path& file, const property_table& table,
                        const std::map<std::string, std::string>& values) {
  return write_file_atomically(file, properties_text(table, values));
}

std::string sample_text(const property_table& table) {
  std::string out = header(table);
  out += comment("A sample: every property, with its default. Take the # off to set one.");
  for (const property& p : table.entries) {
    out += '\n' + comment(p.help);
    out += comment(fmt::format("({}; {}; since {})", expected_values(p), default_in_words(p), p.since));
    out += fmt::format("#{}={}\n", p.name, escape_java_value(p.default_value));
  }
  return out;
}

std::string properties_markdown() {
  std::string out =
      "# Properties\n\n"
      "Generated from the tables in `properties/` by `fte --generate properties-md`; do not edit.\n\n"
      "Files are in the format of Java's properties, in UTF-8. `${NAME}` in a value is replaced by the environment "
      "variable; one that is not set is an error. Unknown names give a warning. A change counts from the next start.\n";
  for (const property_table* table : all_property_tables()) out += markdown_table(*table);
  return out;
}

}  // namespace baton
