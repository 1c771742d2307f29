// fteStopQMgr: ends an embedded queue manager of this host.
#include <signal.h>

#include <fmt/format.h>

#include <cerrno>

#include "commands/background.hpp"
#include "commands/commands.hpp"
#include "commands/console.hpp"
#include "common/text.hpp"
#include "properties/layout.hpp"
#include "properties/names.hpp"
#include "properties/pid_file.hpp"

namespace baton::commands {
namespace {

constexpr option options[] = {
    {"i", "immediate", option_kind::flag, "", "End at once. Without it: when the clients have gone."},
    {"t", "timeout", option_kind::number, "seconds", "Time to wait until it has ended. Default: 30.", false, false,
     false, 1, 86400},
};

int run(const arguments& words) {
  const auto where = layout::from_environment();
  if (!where) return fail(where.error());
  const auto name = checked_qmgr_name(words.operands()[0]);
  if (!name) return fail(name.error());
  const auto file = where->qmgr_pid(*name);
  const auto holder = pid_file_holder(file);
  if (!holder) {
    complain(messages::BFGCL0924E, *name);
    return 1;
  }
  // A signal and not a message: it also reaches a queue manager that is too busy, or too full, to take a message.
  if (::kill(*holder, words.has("i") ? SIGTERM : SIGINT) != 0 && errno != ESRCH) {
    return fail({errc::not_permitted, fmt::format("the queue manager {} (process {}) cannot be signalled: {}", *name,
                                                  *holder, system_text(errno))});
  }
  const std::int64_t timeout_ms = words.number("t", 30) * 1000;
  if (wait_until([&] { return pid_file_holder(file) != holder; }, timeout_ms)) {
    say(messages::BFGCL0923I, *name);
    return 0;
  }
  return fail({errc::timed_out, fmt::format("the queue manager {} has not ended within {}: it waits for its clients. "
                                            "fteStopQMgr -i {} ends it at once",
                                            *name, human_duration_ms(timeout_ms), *name)});
}

}  // namespace

const command stop_qmgr{
    "fteStopQMgr",
    "Stop an embedded queue manager of this host.",
    options,
    {"qmgr", "Name of the queue manager.", 1, 1},
    {},
    "Comes back when it has ended. Agents in bindings mode end with it; their controllers start them "
    "again when it is back.",
    "fteStopQMgr -i QM1",
    run};

}  // namespace baton::commands
