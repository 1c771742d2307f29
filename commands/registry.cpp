#include "commands/registry.hpp"

#include "commands/commands.hpp"
#include "common/text.hpp"
#include "properties/nearest.hpp"

namespace baton::commands {

std::span<const command* const> all_commands() {
  static const command* const list[] = {
      &setup_coordination,
      &setup_commands,
      &change_default,
      &create_agent,
      &modify_agent,
      &delete_agent,
      &obfuscate_credentials,
      &start_qmgr,
      &stop_qmgr,
      &show_qmgr,
      &define_queue,
      &delete_queue,
      &start_coordination,
      &stop_coordination,
      &start_agent,
      &stop_agent,
      &ping_agent,
      &list_agents,
      &show_agent,
      &clean_agent,
      &create_transfer,
      &cancel_transfer,
      &list_transfers,
      &show_transfer,
      &display_version,
  };
  return list;
}

const command* find_command(std::string_view name) {
  const std::string wanted = upper(name);
  for (const command* c : all_commands()) {
    if (upper(c->name) == wanted) return c;
  }
  return nullptr;
}

const command* nearest_command(std::string_view name) {
  std::vector<std::string_view> names;
  for (const command* c : all_commands()) names.push_back(c->name);
  return find_command(nearest_word(name, names));
}

}  // namespace baton::commands
