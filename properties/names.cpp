#include "properties/names.hpp"

#include <fmt/format.h>

#include "common/text.hpp"

namespace baton {
namespace {

bool is_letter_or_digit(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

result<std::string> checked(std::string_view text, std::string_view what, std::size_t length_max) {
  const std::string name = upper(text);
  const auto refuse = [&](std::string_view rule) {
    return error{errc::bad_usage, fmt::format("\"{}\" cannot be the name of {}: {}", escape_control(text), what, rule)};
  };
  if (name.empty()) return refuse("it is empty");
  if (name.size() > length_max) return refuse(fmt::format("it is longer than {} characters", length_max));
  if (!is_letter_or_digit(name[0])) return refuse("it must begin with a letter or a digit");
  for (const char c : name) {
    if (!is_letter_or_digit(c) && c != '.' && c != '_') return refuse("only letters, digits, '.' and '_' are allowed");
  }
  return name;
}

}  // namespace

result<std::string> checked_agent_name(std::string_view text) {
  return checked(text, "an agent", agent_name_length_max);
}
result<std::string> checked_qmgr_name(std::string_view text) {
  return checked(text, "a queue manager", qmgr_name_length_max);
}

}  // namespace baton
