// fteStartCoordination and fteStopCoordination: the coordination service as a process of its own.
#include <signal.h>

#include <fmt/format.h>

#include <cerrno>

#include "commands/background.hpp"
#include "commands/commands.hpp"
#include "commands/console.hpp"
#include "commands/workspace.hpp"
#include "common/text.hpp"
#include "properties/pid_file.hpp"

namespace baton::commands {
namespace {

constexpr std::int64_t start_timeout_ms = 10000, stop_timeout_ms = 10000;
constexpr option start_options[] = {
    configuration_option,
    {"F", "foreground", option_kind::flag, "", "Stay in front and print the log."},
};
constexpr option stop_options[] = {configuration_option};

int run_start(const arguments& words) {
  const auto work = open_workspace(words);
  if (!work) return fail(work.error());
  const auto properties = load_coordination(*work);
  if (!properties) return fail(properties.error());
  const auto file = work->where.coordination_pid(work->coordination);
  if (const auto holder = pid_file_holder(file)) {
    if (words.has("F")) {
      return fail({errc::in_use, fmt::format("the coordination service of {} is running already, as process {}",
                                             work->coordination, *holder)});
    }
    say(messages::BFGCL0951I, work->coordination, *holder);
    return 0;
  }
  if (words.has("F")) return fail(run_in_foreground("baton-coordination", {"-p", work->coordination, "-F"}));
  const auto logs = work->where.coordination_logs(work->coordination);
  background_start what{"baton-coordination", {"-p", work->coordination}, logs / "console.log", {}, start_timeout_ms};
  what.ready = [&](pid_t process) { return pid_file_holder(file) == process; };
  const auto started = start_in_background(what);
  if (!started) return fail(started.error());
  say(messages::BFGCL0950I, work->coordination, *started);
  say(messages::BFGCL0922I, logs.native());
  return 0;
}

int run_stop(const arguments& words) {
  const auto work = open_workspace(words);
  if (!work) return fail(work.error());
  const auto file = work->where.coordination_pid(work->coordination);
  const auto holder = pid_file_holder(file);
  if (!holder) {
    complain(messages::BFGCL0953E, work->coordination);
    return 1;
  }
  if (::kill(*holder, SIGTERM) != 0 && errno != ESRCH) {
    return fail({errc::not_permitted, fmt::format("process {} cannot be signalled: {}", *holder, system_text(errno))});
  }
  if (!wait_until([&] { return pid_file_holder(file) != holder; }, stop_timeout_ms)) {
    return fail({errc::timed_out, fmt::format("the coordination service (process {}) has not ended within {}", *holder,
                                              human_duration_ms(stop_timeout_ms))});
  }
  say(messages::BFGCL0952I, work->coordination);
  return 0;
}

}  // namespace

const command start_coordination{"fteStartCoordination",
                                 "Start the coordination service as a process of its own.",
                                 start_options,
                                 {},
                                 {},
                                 "The embedded queue manager runs the service itself, unless qmgr.properties says "
                                 "coordination=false: this is for other cases. When it runs already the command says "
                                 "so, and that is success (not with -F).",
                                 "fteStartCoordination -p QM1",
                                 run_start};

const command stop_coordination{"fteStopCoordination",
                                "Stop the coordination service that is a process of its own.",
                                stop_options,
                                {},
                                {},
                                "",
                                "fteStopCoordination -p QM1",
                                run_stop};

}  // namespace baton::commands
