// fteStartQMgr: the embedded queue manager, in the background or (-F) in front.
#include <fmt/format.h>

#include "commands/background.hpp"
#include "commands/commands.hpp"
#include "commands/console.hpp"
#include "commands/local_qmgr.hpp"
#include "commands/qmgr_instances.hpp"
#include "properties/layout.hpp"
#include "properties/names.hpp"
#include "properties/pid_file.hpp"

namespace baton::commands {
namespace {

constexpr option options[] = {
    {"p", "port", option_kind::number, "port",
     "Port to listen on instead of the one in qmgr.properties. 0: any free one.", false, false, false, 0, 65535},
    {"x", "permit-standby", option_kind::flag, "",
     "Permit standby instances: of the instances that share dataPath one is active, the others stand by. Without it "
     "the "
     "instance runs alone, or not at all while another one is active."},
    {"F", "foreground", option_kind::flag, "", "Stay in front and print the log."},
    {"t", "timeout", option_kind::number, "seconds", "Time to wait until it is ready. Default: 15.", false, false,
     false, 1, 86400},
};

int run(const arguments& words) {
  const auto where = layout::from_environment();
  if (!where) return fail(where.error());
  const auto name = checked_qmgr_name(words.operands()[0]);
  if (!name) return fail(name.error());
  if (const auto holder = pid_file_holder(where->qmgr_pid(*name))) {
    if (words.has("F")) {
      return fail(
          {errc::in_use, fmt::format("the queue manager {} is running already, as process {}", *name, *holder)});
    }
    const std::string address = local_qmgr_address(*where, *name);
    const auto instances = instances_of_qmgr(*where, *name);
    if (address.empty() && instances && *instances)
      say_standby(messages::BFGCL0971I, *where, *name, *holder);
    else
      say(messages::BFGCL0921I, *name, *holder, address);
    return 0;
  }
  std::vector<std::string> given;
  if (words.has("p")) given = {"-p", words.text("p")};
  if (words.has("x")) given.emplace_back("-x");
  if (words.has("F")) {
    given.insert(given.begin(), {*name, "-F"});
    return fail(run_in_foreground("baton-qmgr", given));
  }
  const auto started = start_local_qmgr(*where, *name, given, words.number("t", 15) * 1000);
  return started ? 0 : fail(started.error());
}

}  // namespace

const command start_qmgr{
    "fteStartQMgr",
    "Start an embedded queue manager on this host.",
    options,
    {"qmgr", "Name of the queue manager. It is made when it does not exist.", 1, 1},
    {},
    "Comes back when it is ready, or stands by. When it runs already the command says so, and that is "
    "success (not with -F).\nWith dataPath in qmgr.properties it is one instance of a multi-instance "
    "queue manager: start it with -x on each host.",
    "fteStartQMgr -x QM1",
    run};

}  // namespace baton::commands
