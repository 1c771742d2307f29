#include "properties/property_set.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <set>

#include "common/text.hpp"
#include "properties/atomic_file.hpp"
#include "properties/check_value.hpp"
#include "properties/java_format.hpp"

namespace baton {
namespace {

const std::string no_text;

[[noreturn]] void misuse(const property_table& table, std::string_view name, std::string_view why) {
  fmt::print(stderr, "bug: property \"{}\" of {}: {}\n", name, table.file, why);
  std::abort();
}

std::int64_t number(std::string_view text) {
  return std::strtoll(std::string(text).c_str(), nullptr, 10);
}

std::string unknown_name(const property_table& table, std::string_view name) {
  if (table.is_not_yet(name)) return "is a property of IBM MFT that Baton does not have; it is ignored";
  const auto nearest = table.nearest(name);
  if (nearest.empty()) return fmt::format("is not a property of {}; it is ignored", table.file);
  return fmt::format("is not a property of {}; it is ignored. Did you mean {}?", table.file, nearest);
}

}  // namespace

property_set::property_set(const property_table& table) : table_(&table) {}

property_read property_set::parse(std::string_view content, std::string_view origin, const property_table& table) {
  property_read out{property_set(table), {}, {}};
  out.values.origin_ = std::string(origin);
  const auto at = [&](int line, std::string_view name) {
    return name.empty() ? fmt::format("{}:{}", origin, line)
                        : fmt::format("{}:{}: {}", origin, line, escape_control(name));
  };
  const java_file file = parse_java_properties(content);
  std::set<std::string> spoiled;  // said wrongly is not missing: one error for each is enough
  for (const java_problem& p : file.problems) {
    out.errors.push_back(fmt::format("{}: {}", at(p.line, p.name), p.text));
    spoiled.insert(p.name);
  }
  for (const java_property& p : file.properties) {
    const property* entry = table.find(p.name);
    if (entry == nullptr) {
      out.warnings.push_back(fmt::format("{} {}", at(p.line, p.name), unknown_name(table, p.name)));
      continue;
    }
    if (out.values.is_set(p.name)) {
      out.warnings.push_back(fmt::format("{} is there more than once; the last one counts", at(p.line, p.name)));
    }
    const auto checked = check_value(*entry, p.value);
    if (checked)
      out.values.values_[p.name] = *checked;
    else
      out.errors.push_back(fmt::format("{}: {}", at(p.line, p.name), checked.error().text));
    if (!checked) spoiled.insert(p.name);
  }
  for (const property& entry : table.entries) {
    const std::string name(entry.name);
    if (entry.required && !spoiled.contains(name) && out.values.text(name).empty()) {
      out.errors.push_back(fmt::format("{}: {}: is missing, and has no default", origin, name));
    }
  }
  return out;
}

property_read property_set::read(const std::filesystem::path& file, const property_table& table) {
  const auto content = read_small_file(file);
  if (content) return parse(*content, file.native(), table);
  property_read out{property_set(table), {content.error().text}, {}};
  out.values.origin_ = file.native();
  out.missing = content.error().code == errc::not_found;
  return out;
}

const property& property_set::entry(std::string_view name) const {
  const property* found = table_->find(name);
  if (found == nullptr) misuse(*table_, name, "is not in the table");
  return *found;
}

const std::string& property_set::text(std::string_view name) const {
  const property& p = entry(name);
  if (const auto at = values_.find(name); at != values_.end()) return at->second;
  if (p.default_value.empty()) return no_text;
  // Defaults are views into the table; callers want a string that lives as long, so each gets one, once.
  static std::map<std::string_view, std::string> defaults = [] {
    std::map<std::string_view, std::string> all;
    for (const property_table* t : all_property_tables()) {
      for (const property& each : t->entries) all.emplace(each.default_value, each.default_value);
    }
    return all;
  }();
  return defaults.at(p.default_value);
}

std::int64_t property_set::integer(std::string_view name) const {
  const auto type = entry(name).type;
  if (type != property_type::integer && type != property_type::bytes) misuse(*table_, name, "is not a plain number");
  return number(text(name));
}

std::int64_t property_set::milliseconds(std::string_view name) const {
  const auto type = entry(name).type;
  if (type == property_type::milliseconds) return number(text(name));
  const std::int64_t value = seconds(name);
  return value < 0 ? value : value * 1000;
}

std::int64_t property_set::seconds(std::string_view name) const {
  if (entry(name).type != property_type::seconds) misuse(*table_, name, "is not a duration of that unit");
  return number(text(name));
}

bool property_set::boolean(std::string_view name) const {
  if (entry(name).type != property_type::boolean) misuse(*table_, name, "is not a boolean");
  return text(name) == "true";
}

std::filesystem::path property_set::path(std::string_view name) const {
  if (entry(name).type != property_type::path) misuse(*table_, name, "is not a path");
  return text(name);
}

bool property_set::is_set(std::string_view name) const {
  entry(name);
  return values_.find(name) != values_.end();
}

error property_read::failure() const {
  return {missing ? errc::not_found : errc::bad_property, fmt::format("{}", fmt::join(errors, "\n"))};
}

}  // namespace baton
