#include "properties/check_value.hpp"

#include <fmt/format.h>

#include <charconv>

#include "common/text.hpp"
#include "properties/names.hpp"

namespace baton {
namespace {

error unexpected(const property& entry, std::string_view value) {
  constexpr std::size_t shown_max = 100;
  return {errc::bad_property,
          fmt::format("expected {}, found \"{}{}\"", expected_values(entry), escape_control(value.substr(0, shown_max)),
                      value.size() > shown_max ? "..." : "")};
}

result<std::string> check_number(const property& entry, std::string_view value) {
  std::int64_t number = 0;
  const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (failure != std::errc{} || end != value.data() + value.size()) return unexpected(entry, value);
  if (number < entry.min || number > entry.max) return unexpected(entry, value);
  return std::to_string(number);
}

result<std::string> check_choice(const property& entry, std::string_view value) {
  for (const std::string& word : split(entry.choices, '|')) {
    if (upper(word) == upper(value)) return word;
  }
  return unexpected(entry, value);
}

result<std::string> check_name(std::string_view name, std::string_view value) {
  auto checked = name == "agentName" ? checked_agent_name(value) : checked_qmgr_name(value);
  if (!checked) return error{errc::bad_property, checked.error().text};
  return checked;
}

}  // namespace

result<std::string> check_value(const property& entry, std::string_view value) {
  // An empty value is how people comment out a setting: where that makes sense it means "not set".
  const bool may_be_empty = entry.type == property_type::text || entry.type == property_type::path;
  if (value.empty() && (!may_be_empty || entry.required)) return unexpected(entry, value);
  if (is_number(entry.type)) return check_number(entry, value);
  switch (entry.type) {
    case property_type::name:
      return check_name(entry.name, value);
    case property_type::choice:
      return check_choice(entry, value);
    case property_type::boolean: {
      const std::string word = upper(value);
      if (word == "TRUE") return std::string("true");
      if (word == "FALSE") return std::string("false");
      return unexpected(entry, value);
    }
    default:
      return std::string(value);
  }
}

std::string expected_values(const property& entry) {
  switch (entry.type) {
    case property_type::integer:
      return fmt::format("a number, {} to {}", entry.min, entry.max);
    case property_type::bytes:
      return fmt::format("a number of bytes, {} to {}", entry.min, entry.max);
    case property_type::milliseconds:
      return fmt::format("milliseconds, {} to {}", entry.min, entry.max);
    case property_type::seconds:
      return fmt::format("seconds, {} to {}", entry.min, entry.max);
    case property_type::boolean:
      return "true or false";
    case property_type::choice: {
      const auto words = split(entry.choices, '|');
      if (words.size() == 1) return words[0];
      return fmt::format("one of {}", fmt::join(words, ", "));
    }
    case property_type::name:
      return "a name";
    case property_type::path:
      return "a path";
    case property_type::text:
      return "text";
  }
  return "text";
}

}  // namespace baton
