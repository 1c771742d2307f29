// One program for all commands: it looks at the name that it was called by, or at its first word.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "commands/arguments.hpp"
#include "commands/console.hpp"
#include "commands/generate.hpp"
#include "commands/manual.hpp"
#include "commands/registry.hpp"

namespace baton::commands {
namespace {

constexpr std::string_view program = "fte";

int run_command(const command& c, const std::vector<std::string>& words) {
  const auto parsed = arguments::parse(c, words);
  if (!parsed) {
    complain(messages::BFGCL0901E, parsed.error().text);
    fmt::print(stderr, "{}\n", usage_line(c));
    return 1;
  }
  if (!parsed->help_wanted()) return c.run(*parsed);
  fmt::print("{}", help_text(c));
  return 0;
}

int unknown_command(const std::string& name) {
  const command* nearest = nearest_command(name);
  const std::string hint =
      nearest == nullptr ? "fte --help lists the commands" : fmt::format("did you mean {}?", nearest->name);
  complain(messages::BFGCL0902E, name, hint);
  return 1;
}

int run_program(const std::vector<std::string>& words) {
  if (words.empty()) {
    fmt::print(stderr, "{}", overview(all_commands()));
    return 1;
  }
  const std::vector<std::string> rest(words.begin() + 1, words.end());
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "-?") {
    fmt::print("{}", overview(all_commands()));
    return 0;
  }
  if (words[0] == "--version") return run_command(*find_command("fteDisplayVersion"), rest);
  if (words[0] == "--generate") return generate(rest);
  const command* c = find_command(words[0]);
  return c == nullptr ? unknown_command(words[0]) : run_command(*c, rest);
}

int run(int argument_count, char** arguments) {
  if (argument_count < 1) return 1;
  const std::string name = std::filesystem::path(arguments[0]).filename();
  std::vector<std::string> words(arguments + 1, arguments + argument_count);
  if (name != program) words.insert(words.begin(), name);
  return run_program(words);
}

}  // namespace
}  // namespace baton::commands

int main(int argument_count, char** arguments) {
  int code = 1;
  try {
    code = baton::commands::run(argument_count, arguments);
  } catch (const std::exception& bug) {
    baton::commands::complain(baton::messages::BFGUT0002E, bug.what());
  } catch (...) {
    baton::commands::complain(baton::messages::BFGUT0002E, "unknown exception");
  }
  // A result that could not be written (a full disk behind a redirection) must not look like success.
  if (std::fflush(stdout) != 0 && code == 0) code = 1;
  // Nothing is left to do, and winding up the AMQP thread could only take time: a peer that has gone silent must not
  // keep a command from ending.
  std::_Exit(code);
}
