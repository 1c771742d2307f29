// fteStopQMgr: ends an embedded queue manager of this host.
#include <signal.h>

#include <fmt/format.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "commands/background.hpp"
#include "commands/commands.hpp"
#include "commands/console.hpp"
#include "commands/qmgr_instances.hpp"
#include "common/text.hpp"
#include "properties/layout.hpp"
#include "properties/names.hpp"
#include "properties/pid_file.hpp"

namespace baton::commands {
namespace {

constexpr option options[] = {
    {"i", "immediate", option_kind::flag, "", "End at once. Without it: when the clients have gone."},
    {"s", "switch", option_kind::flag, "",
     "Switch over: end the active instance, which is on this host, so that a standby instance takes over."},
    {"x", "standby", option_kind::flag, "", "End the standby instance of this host; the active one goes on."},
    {"t", "timeout", option_kind::number, "seconds", "Time to wait until it has ended. Default: 30.", false, false,
     false, 1, 86400},
};

struct target {
  layout where;
  std::string name;
  pid_t process = 0;
  std::optional<qmgr_instances> instances;
};

// What a wrong state of this host's instance is answered with; done() when the words fit.
status check_role(const arguments& words, const target& what) {
  const std::string& name = what.name;
  if (!what.instances) {
    if (!words.has("s") && !words.has("x")) return done();
    return error{errc::bad_usage, fmt::format("the queue manager {} has no instances: qmgr.properties does not set "
                                              "dataPath",
                                              name)};
  }
  if (words.has("s") && words.has("x")) return error{errc::bad_usage, "-s and -x exclude each other"};
  const bool active = what.instances->state_of(what.process) == formats::qmgr_instance_state::active;
  if (active && words.has("x")) {
    return error{errc::conflict,
                 fmt::format("the instance {} of the queue manager {} is the active one: fteStopQMgr -s "
                             "{} switches over",
                             what.instances->own, name, name)};
  }
  if (active && words.has("s") && what.instances->standbys() == 0) {
    return error{errc::conflict,
                 fmt::format("no instance of the queue manager {} stands by: nothing was stopped", name)};
  }
  if (!active && !words.has("x")) {
    return error{errc::conflict,
                 fmt::format("the instance {} of the queue manager {} stands by: fteStopQMgr -x {} ends "
                             "it. Active is {}",
                             what.instances->own, name, name, in_words(what.instances->active()))};
  }
  return done();
}

// A signal and not a message: it also reaches a queue manager that is too busy, or too full, to take a message.
status send_signal(const arguments& words, const target& what) {
  sigval word{};
  word.sival_int = what.instances && !words.has("s") && !words.has("x") ? end_all_word : 0;
  if (::sigqueue(what.process, words.has("i") ? SIGTERM : SIGINT, word) == 0 || errno == ESRCH) return done();
  return error{errc::not_permitted, fmt::format("the queue manager {} (process {}) cannot be signalled: {}", what.name,
                                                what.process, system_text(errno))};
}

// Says who has taken over, when somebody does in time.
void say_next(const target& what, std::int64_t timeout_ms) {
  std::string next;
  wait_until(
      [&] {
        const auto now = instances_of_qmgr(what.where, what.name);
        if (now && *now && (*now)->active() != nullptr && (*now)->active()->says.port != 0)
          next = in_words((*now)->active());
        return !next.empty();
      },
      timeout_ms);
  if (next.empty())
    complain(messages::BFGCL0973W, what.name);
  else
    say(messages::BFGCL0972I, what.name, next);
}

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
  auto instances = instances_of_qmgr(*where, *name);
  if (!instances) return fail(instances.error());
  const target what{*where, *name, *holder, std::move(*instances)};
  if (const status fits = check_role(words, what); !fits) return fail(fits.error());
  if (const status sent = send_signal(words, what); !sent) return fail(sent.error());
  const std::int64_t timeout_ms = words.number("t", 30) * 1000;
  if (!wait_until([&] { return pid_file_holder(file) != holder; }, timeout_ms)) {
    return fail({errc::timed_out, fmt::format("the queue manager {} has not ended within {}: it waits for its clients. "
                                              "fteStopQMgr -i {} ends it at once",
                                              *name, human_duration_ms(timeout_ms), *name)});
  }
  if (what.instances && (words.has("s") || words.has("x")))
    say(messages::BFGCL0974I, what.instances->own, *name);
  else
    say(messages::BFGCL0923I, *name);
  if (words.has("s")) say_next(what, timeout_ms);
  return 0;
}

}  // namespace

const command stop_qmgr{
    "fteStopQMgr",
    "Stop an embedded queue manager of this host.",
    options,
    {"qmgr", "Name of the queue manager.", 1, 1},
    {},
    "Comes back when it has ended. Agents in bindings mode end with it; their controllers start them "
    "again when it is back.\nOf a multi-instance queue manager it ends all instances, on all hosts, and is given on "
    "the "
    "host of the active one. -s lets a standby instance take over, -x ends only the standby instance of this host.",
    "fteStopQMgr -i QM1",
    run};

}  // namespace baton::commands
