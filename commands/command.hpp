// A command is declared once: its options, operands and what it does. Parsing, the usage line, --help, man pages, bash
// completion and docs/commands.md all work from that declaration. Tables are constant; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace baton::commands {

class arguments;

enum class option_kind { flag, text, number, choice };

struct option {
  std::string_view letters;  // "sa": given as -sa, the field's short form; empty: none
  std::string_view word;     // "source-agent": given as --source-agent
  option_kind kind = option_kind::flag;
  std::string_view value = "";  // what the help calls the value
  std::string_view help = "";   // one or two sentences
  bool required = false;
  bool repeatable = false;
  bool value_optional = false;    // the value may be left out; only for numbers
  std::int64_t min = 0, max = 0;  // of a number, both ends included
  std::string_view choices = "";  // words of a choice, separated by '|'
};

// What the option is called in tables of values and in messages.
constexpr std::string_view key_of(const option& o) {
  return o.letters.empty() ? o.word : o.letters;
}

constexpr std::size_t any_number = std::numeric_limits<std::size_t>::max();

struct operand {
  std::string_view name = "";
  std::string_view help = "";
  std::size_t min = 0, max = 0;
};

struct command {
  std::string_view name;
  std::string_view purpose;  // one sentence
  std::span<const option> options;
  operand operands;
  std::span<const std::string_view> not_yet;  // options of IBM MFT that Baton refuses by name
  std::string_view details;                   // paragraphs for the manual, separated by '\n'
  std::string_view example;                   // one line
  int (*run)(const arguments&) = nullptr;     // gives the exit code
};

// Options that most commands share.
constexpr option configuration_option{"p", "configuration", option_kind::text, "name",
                                      "Set of configuration: the name of its coordination queue manager. Default: "
                                      "defaultProperties of installation.properties."};
constexpr option json_option{"json", "json", option_kind::flag, "", "Print JSON instead of text."};
constexpr option force_option{"f", "force", option_kind::flag, "", "Replace what exists already."};
constexpr option timeout_option{
    "t", "timeout", option_kind::number, "seconds", "Time to wait for answers. Default: 5.", false, false, false,
    1,   86400};

// Options that every command of IBM MFT has and no command of Baton.
constexpr std::string_view common_not_yet[] = {"mquserid", "mqpassword", "nolpw", "trace", "tracePath", "traceLevel"};

}  // namespace baton::commands
