#include <fmt/format.h>

#include <algorithm>

#include "commands/manual.hpp"
#include "common/text.hpp"

namespace baton::commands {
namespace {

std::string value_words(const option& o) {
  if (o.kind == option_kind::flag) return "";
  return o.value_optional ? fmt::format(" [{}]", o.value) : fmt::format(" {}", o.value);
}

std::string usage_of(const option& o) {
  const std::string dashed = (o.letters.empty() ? "--" : "-") + std::string(key_of(o)) + value_words(o);
  return o.required ? dashed : fmt::format("[{}]", dashed);
}

std::string usage_of(const operand& o) {
  if (o.max == 0) return "";
  const std::string name = fmt::format("{}{}", o.name, o.max > 1 ? "..." : "");
  return o.min > 0 ? name : fmt::format("[{}]", name);
}

// Words in lines of at most `width` columns, each line after the first with the indent.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  std::string out, line;
  for (const std::string& word : split(text, ' ')) {
    if (!line.empty() && line.size() + 1 + word.size() + indent > width) {
      out += line + '\n' + std::string(indent, ' ');
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return out + line;
}

}  // namespace

std::string option_words(const option& o) {
  const std::string letters = o.letters.empty() || o.letters == o.word ? "" : fmt::format("-{}, ", o.letters);
  return fmt::format("{}--{}{}", letters, o.word, value_words(o));
}

std::string option_help(const option& o) {
  std::string help(o.help);
  if (o.kind == option_kind::choice) {
    auto words = split(o.choices, '|');
    help += fmt::format(" One of {}.", fmt::join(words, ", "));
  }
  if (o.kind == option_kind::number) help += fmt::format(" ({} to {})", o.min, o.max);
  if (o.repeatable) help += " May be given more than once.";
  return help;
}

std::string usage_line(const command& c) {
  std::string line = fmt::format("Usage: {}", c.name);
  for (const bool required : {true, false}) {
    for (const option& o : c.options) {
      if (o.required == required) line += ' ' + usage_of(o);
    }
  }
  const std::string operands = usage_of(c.operands);
  return operands.empty() ? line : line + ' ' + operands;
}

std::string help_text(const command& c) {
  constexpr std::size_t width = 100, column = 6;
  std::string out = fmt::format("{} - {}\n\n{}\n", c.name, c.purpose, wrapped(usage_line(c), width, column));
  if (c.operands.max > 0) {
    out += fmt::format("\n  {}\n      {}\n", c.operands.name, wrapped(c.operands.help, width, column));
  }
  out += "\n";
  for (const option& o : c.options) {
    out += fmt::format("  {}\n      {}\n", option_words(o), wrapped(option_help(o), width, column));
  }
  out += "  -h, -?, --help\n      Print this.\n";
  for (const std::string& paragraph : split(c.details, '\n'))
    out += fmt::format("\n{}\n", wrapped(paragraph, width, 0));
  if (!c.example.empty()) out += fmt::format("\nExample:\n  {}\n", c.example);
  return out;
}

std::string overview(std::span<const command* const> commands) {
  std::string out = "Usage: fte command [option...]  (or the command's own name; each has --help)\n\n";
  std::size_t width = 0;
  for (const command* c : commands) width = std::max(width, c->name.size());
  for (const command* c : commands) out += fmt::format("  {:{}}  {}\n", c->name, width, c->purpose);
  return out;
}

}  // namespace baton::commands
