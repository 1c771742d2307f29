#include "commands/generate.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "commands/console.hpp"
#include "commands/manual.hpp"
#include "commands/registry.hpp"
#include "properties/atomic_file.hpp"
#include "properties/write.hpp"

namespace baton::commands {
namespace {

constexpr std::string_view usage =
    "Usage: fte --generate properties-md | commands-md | completion | names | man DIRECTORY | samples DIRECTORY";

status write_manual(const std::filesystem::path& directory) {
  for (const command* c : all_commands()) {
    auto written = write_file_atomically(directory / fmt::format("{}.1", c->name), man_page(*c));
    if (!written) return written;
  }
  return done();
}

status write_samples(const std::filesystem::path& directory) {
  for (const property_table* table : all_property_tables()) {
    auto written = write_file_atomically(directory / table->file, sample_text(*table));
    if (!written) return written;
  }
  return done();
}

int finish(const status& written) {
  return written ? 0 : fail(written.error());
}

}  // namespace

int generate(const std::vector<std::string>& words) {
  const std::string what = words.empty() ? "" : words[0];
  if (words.size() == 2 && what == "man") return finish(write_manual(words[1]));
  if (words.size() == 2 && what == "samples") return finish(write_samples(words[1]));
  if (words.size() == 1 && what == "properties-md")
    fmt::print("{}", properties_markdown());
  else if (words.size() == 1 && what == "commands-md")
    fmt::print("{}", commands_markdown(all_commands()));
  else if (words.size() == 1 && what == "completion")
    fmt::print("{}", bash_completion(all_commands()));
  else if (words.size() == 1 && what == "names") {
    for (const command* c : all_commands()) fmt::print("{}\n", c->name);
  } else {
    fmt::print(stderr, "{}\n", usage);
    return 1;
  }
  return 0;
}

}  // namespace baton::commands
