#include "commands/generate.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "commands/console.hpp"
#include "commands/manual.hpp"
#include "commands/registry.hpp"
#include "common/messages/message.hpp"
#include "properties/atomic_file.hpp"
#include "properties/write.hpp"

namespace baton::commands {
namespace {

constexpr std::string_view usage =
    "Usage: fte --generate properties-md | commands-md | messages-md | completion | names | man DIRECTORY | samples "
    "DIRECTORY";

// The five letters that an id begins with, and whose messages these are.
constexpr std::pair<std::string_view, std::string_view> components[] = {
    {"BFGAG", "Agent"},
    {"BFGCH", "Agent: requests on its command queue"},
    {"BFGCL", "Commands"},
    {"BFGCM", "Commands: configuration"},
    {"BFGCO", "Coordination service"},
    {"BFGIO", "Files"},
    {"BFGMQ", "Queues and queue managers, as an agent sees them"},
    {"BFGPC", "Agent controller"},
    {"BFGPR", "Properties files: warnings"},
    {"BFGQM", "Embedded queue manager"},
    {"BFGRP", "Results of transfers"},
    {"BFGSS", "Stored state of transfers"},
    {"BFGTR", "Transfers"},
    {"BFGUB", "Properties and credentials files: errors"},
    {"BFGUT", "Internal errors"},
};

std::string_view component_of(std::string_view id) {
  for (const auto& [letters, name] : components) {
    if (id.starts_with(letters)) return name;
  }
  return "Others";
}

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

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

std::string messages_markdown() {
  std::string out =
      "# Messages\n\n"
      "Generated from the catalogue in `common/messages/` by `fte --generate messages-md`; do not edit.\n\n"
      "An id ends with its severity: I information, W warning, E error. Each `{}` in a text stands for what is put in. "
      "Where IBM MFT has a message with the same meaning the id is the same; the others are Baton's own.\n";
  std::string_view before;
  for (const message* m : all_messages()) {
    if (const auto letters = m->id.substr(0, 5); letters != before) {
      before = letters;
      out += fmt::format("\n## {}: {}\n\n| id | text | meaning | what to do |\n|---|---|---|---|\n", letters,
                         component_of(m->id));
    }
    out += fmt::format("| {} | {} | {} | {} |\n", m->id, cell(m->text), cell(m->explanation), cell(m->response));
  }
  return out;
}

int generate(const std::vector<std::string>& words) {
  const std::string what = words.empty() ? "" : words[0];
  if (words.size() == 2 && what == "man") return finish(write_manual(words[1]));
  if (words.size() == 2 && what == "samples") return finish(write_samples(words[1]));
  if (words.size() == 1 && what == "properties-md")
    fmt::print("{}", properties_markdown());
  else if (words.size() == 1 && what == "commands-md")
    fmt::print("{}", commands_markdown(all_commands()));
  else if (words.size() == 1 && what == "messages-md")
    fmt::print("{}", messages_markdown());
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
