// The words of a command line, checked against the declaration of the command.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "commands/command.hpp"
#include "common/result.hpp"

namespace baton::commands {

class arguments {
 public:
  // errc::bad_usage with what is wrong, and the nearest known option where one is misspelt. -h, -? and --help anywhere
  // make help_wanted() true; nothing else is checked then.
  static result<arguments> parse(const command& declared, const std::vector<std::string>& words);

  bool help_wanted() const { return help_wanted_; }

  // By the key of the option (its letters; its word when it has none). Asking for an option that the command does not
  // declare is a programming error and aborts.
  bool has(std::string_view key) const;
  const std::string& text(std::string_view key) const;                     // empty when not given
  std::int64_t number(std::string_view key, std::int64_t fallback) const;  // fallback: not given, or without its value
  std::vector<std::string> texts(std::string_view key) const;              // every value of a repeatable option

  const std::vector<std::string>& operands() const { return operands_; }
  const command& declared() const { return *declared_; }

 private:
  explicit arguments(const command& declared) : declared_(&declared) {}
  void check_declared(std::string_view key) const;

  const command* declared_;
  bool help_wanted_ = false;
  std::map<std::string, std::vector<std::string>, std::less<>> values_;  // a flag has one empty value
  std::vector<std::string> operands_;
};

}  // namespace baton::commands
