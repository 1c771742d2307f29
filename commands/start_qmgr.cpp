// fteStartQMgr: the embedded queue manager, in the background or (-F) in front.
#include <fmt/format.h>

#include <system_error>

#include "commands/background.hpp"
#include "commands/commands.hpp"
#include "commands/console.hpp"
#include "common/text.hpp"
#include "properties/atomic_file.hpp"
#include "properties/layout.hpp"
#include "properties/names.hpp"
#include "properties/pid_file.hpp"

namespace baton::commands {
namespace {

constexpr option options[] = {
    {"p", "port", option_kind::number, "port",
     "Port to listen on instead of the one in qmgr.properties. 0: any free one.", false, false, false, 0, 65535},
    {"F", "foreground", option_kind::flag, "", "Stay in front and print the log."},
    {"t", "timeout", option_kind::number, "seconds", "Time to wait until it is ready. Default: 15.", false, false,
     false, 1, 86400},
};

// "127.0.0.1 5672", as the queue manager wrote it when it was ready; empty: not yet.
std::string address_of(const layout& where, const std::string& name) {
  const auto content = read_small_file(where.qmgr_address(name));
  return content ? trim(*content) : std::string();
}

int start(const layout& where, const std::string& name, const std::vector<std::string>& given,
          std::int64_t timeout_ms) {
  background_start what{"baton-qmgr", given, where.qmgr_logs(name) / "console.log", {}, timeout_ms};
  what.ready = [&](pid_t process) {
    return pid_file_holder(where.qmgr_pid(name)) == process && !address_of(where, name).empty();
  };
  const auto started = start_in_background(what);
  if (!started) return fail(started.error());
  say(messages::BFGCL0920I, name, *started, address_of(where, name));
  say(messages::BFGCL0922I, where.qmgr_logs(name).native());
  return 0;
}

int run(const arguments& words) {
  const auto where = layout::from_environment();
  if (!where) return fail(where.error());
  const auto name = checked_qmgr_name(words.operands()[0]);
  if (!name) return fail(name.error());
  if (const auto holder = pid_file_holder(where->qmgr_pid(*name))) {
    say(messages::BFGCL0921I, *name, *holder, address_of(*where, *name));
    return 0;
  }
  std::error_code ignored;
  std::filesystem::remove(where->qmgr_address(*name), ignored);  // one that a killed process left behind
  std::vector<std::string> given{*name};
  if (words.has("p")) given.insert(given.end(), {"-p", words.text("p")});
  if (!words.has("F")) return start(*where, *name, given, words.number("t", 15) * 1000);
  given.push_back("-F");
  return fail(run_in_foreground("baton-qmgr", given));
}

}  // namespace

const command start_qmgr{"fteStartQMgr",
                         "Start an embedded queue manager on this host.",
                         options,
                         {"qmgr", "Name of the queue manager. It is made when it does not exist.", 1, 1},
                         {},
                         "Comes back when it is ready. When it runs already the command says so, and that is success.",
                         "fteStartQMgr QM1",
                         run};

}  // namespace baton::commands
