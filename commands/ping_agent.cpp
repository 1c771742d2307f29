// ftePingAgent: whether an agent answers. It asks the agent itself, so it also finds one whose status is late.
#include <fmt/format.h>

#include "commands/commands.hpp"
#include "commands/console.hpp"
#include "commands/conversation.hpp"
#include "common/loop.hpp"
#include "properties/names.hpp"

namespace baton::commands {
namespace {

constexpr option options[] = {
    configuration_option,
    {"m", "qmgr", option_kind::text, "qmgr", "Queue manager of the agent. Default: see fteCreateTransfer."},
    {"w", "wait", option_kind::number, "seconds", "Time to wait for the answer. Default: 5.", false, false, false, 1,
     86400},
};

int run(const arguments& words) {
  const auto work = open_workspace(words);
  if (!work) return fail(work.error());
  const auto agent = checked_agent_name(words.operands()[0]);
  if (!agent) return fail(agent.error());
  const std::int64_t timeout_s = words.number("w", 5), begin = boot_time_ms();
  say(messages::BFGCL0212I, *agent);
  const auto answered = ask_agent(*work, *agent, words.text("m"), formats::subject::agent_ping, "", timeout_s * 1000);
  if (!answered && answered.error().code == errc::timed_out) {
    complain(messages::BFGCL0214I, *agent, timeout_s);
    return exit_code(errc::timed_out);
  }
  if (!answered) return fail(answered.error());
  say(messages::BFGCL0213I, *agent, fmt::format("{:.3f}", static_cast<double>(boot_time_ms() - begin) / 1000));
  return 0;
}

}  // namespace

const command ping_agent{"ftePingAgent",
                         "Ask an agent whether it is there.",
                         options,
                         {"agent", "Name of the agent.", 1, 1},
                         {},
                         "Exit code 2: no answer in time.",
                         "ftePingAgent -w 10 SRC",
                         run};

}  // namespace baton::commands
