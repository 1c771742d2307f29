// fteChangeDefaultConfigurationOptions: chooses the set of configuration that commands use without -p.
#include <map>

#include "commands/commands.hpp"
#include "commands/console.hpp"
#include "properties/property_set.hpp"
#include "properties/write.hpp"

namespace baton::commands {

status set_default_configuration(const layout& where, const std::string& coordination) {
  const auto file = where.installation_properties();
  const auto read = property_set::read(file, installation_properties());
  if (!read.ok() && !read.missing) return read.failure();
  std::map<std::string, std::string> values;
  for (const property& p : installation_properties().entries) {
    if (read.values.is_set(p.name)) values[std::string(p.name)] = read.values.text(p.name);
  }
  values["defaultProperties"] = coordination;
  return write_properties(file, installation_properties(), values);
}

namespace {

int run(const arguments& words) {
  const auto where = layout::from_environment();
  if (!where) return fail(where.error());
  const auto name = coordination_name(*where, words.operands()[0]);
  if (!name) return fail(name.error());
  const auto set = set_default_configuration(*where, *name);
  if (!set) return fail(set.error());
  say(messages::BFGCL0911I, *name);
  return 0;
}

}  // namespace

const command change_default{"fteChangeDefaultConfigurationOptions",
                             "Choose the set of configuration that commands use without -p.",
                             {},
                             {"configuration", "Name of the set: of its coordination queue manager.", 1, 1},
                             {},
                             "Writes installation.properties.",
                             "fteChangeDefaultConfigurationOptions QM1",
                             run};

}  // namespace baton::commands
