// The declarations themselves, and what is generated from them.
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "commands/generate.hpp"
#include "commands/manual.hpp"
#include "commands/registry.hpp"
#include "common/text.hpp"
#include "properties/atomic_file.hpp"

using namespace baton;
using namespace baton::commands;

namespace {

std::string content(const std::string& file) {
  const auto read = read_small_file(std::filesystem::path(BATON_SOURCE_DIR) / file);
  return read ? *read : read.error().text;
}

}  // namespace

TEST_CASE("declarations: every command is complete and its options are unambiguous") {
  for (const command* c : all_commands()) {
    INFO(c->name);
    CHECK(c->name.starts_with("fte"));
    CHECK(c->purpose.ends_with('.'));
    CHECK(c->run != nullptr);
    CHECK(std::string(c->example).starts_with(c->name));
    std::set<std::string_view> names{"h", "?", "help"};
    for (const option& o : c->options) {
      INFO(o.word);
      CHECK_FALSE(o.word.empty());
      CHECK(names.insert(o.word).second);
      if (!o.letters.empty() && o.letters != o.word) CHECK(names.insert(o.letters).second);
      CHECK((o.kind == option_kind::flag) == o.value.empty());
      CHECK((o.kind == option_kind::choice) == !o.choices.empty());
      if (o.kind == option_kind::number) CHECK(o.min < o.max);
      CHECK_FALSE(o.help.empty());
    }
    for (const auto word : c->not_yet) CHECK_FALSE(names.contains(word));
  }
}

TEST_CASE("declarations: commands are found by name in any case, and the nearest is suggested") {
  CHECK(find_command("ftestartagent")->name == "fteStartAgent");
  CHECK(find_command("nothing") == nullptr);
  CHECK(nearest_command("fteStrtAgent")->name == "fteStartAgent");
  CHECK(nearest_command("xyz") == nullptr);
}

TEST_CASE("declarations: the links that the build makes are the commands that there are") {
  auto links = split(trim(content("commands/names.txt")), '\n');
  std::vector<std::string> names;
  for (const command* c : all_commands()) names.emplace_back(c->name);
  std::sort(links.begin(), links.end());
  std::sort(names.begin(), names.end());
  CHECK(links == names);
}

TEST_CASE("declarations: docs/commands.md is what they say (fte --generate commands-md)") {
  CHECK(content("docs/commands.md") == commands_markdown(all_commands()));
}

TEST_CASE("declarations: docs/messages.md is what the catalogue says (fte --generate messages-md)") {
  CHECK(content("docs/messages.md") == messages_markdown());
}
