// fteDisplayVersion
#include <fmt/format.h>
#include <sys/utsname.h>

#include <nlohmann/json.hpp>
#include <system_error>

#include "commands/commands.hpp"
#include "commands/console.hpp"
#include "commands/table.hpp"
#include "properties/layout.hpp"

namespace baton::commands {
namespace {

constexpr option options[] = {json_option};

std::string platform() {
  utsname about{};
  if (::uname(&about) != 0) return "unknown";
  return fmt::format("{} {} ({})", about.sysname, about.release, about.machine);
}

int run(const arguments& words) {
  std::error_code ignored;
  const std::string installed = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  const auto where = layout::from_environment();
  const std::string root = where ? where->root().native() : where.error().text;
  if (words.has("json")) {
    const nlohmann::json out{{"name", "Baton"},        {"version", BATON_VERSION},  {"compiler", __VERSION__},
                             {"platform", platform()}, {"installation", installed}, {"data", root}};
    print_line(out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    return 0;
  }
  print_fields("Baton", {{"Version", BATON_VERSION},
                         {"Compiler", __VERSION__},
                         {"Platform", platform()},
                         {"Installation", installed},
                         {"Data Path", root}});
  return 0;
}

}  // namespace

const command display_version{"fteDisplayVersion",
                              "Show the version and where things are.",
                              options,
                              {},
                              {},
                              "",
                              "fteDisplayVersion --json",
                              run};

}  // namespace baton::commands
