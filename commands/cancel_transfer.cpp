// fteCancelTransfer: ends a transfer that is under way.
#include <fmt/format.h>

#include "commands/commands.hpp"
#include "commands/console.hpp"
#include "commands/conversation.hpp"
#include "common/text.hpp"
#include "properties/names.hpp"

namespace baton::commands {
namespace {

constexpr int cancel_timed_out = 22;  // reference section 3.7
constexpr option options[] = {
    {"a", "agent", option_kind::text, "agent", "Source or destination agent of the transfer.", true},
    {"m", "qmgr", option_kind::text, "qmgr", "Queue manager of that agent. Default: see fteCreateTransfer."},
    {"w", "wait", option_kind::number, "seconds", "Time to wait for the answer. Default: 30.", false, false, false, 1,
     86400},
    configuration_option,
};

int run(const arguments& words) {
  const auto work = open_workspace(words);
  if (!work) return fail(work.error());
  const auto agent = checked_agent_name(words.text("a"));
  if (!agent) return fail(agent.error());
  formats::cancel_request request;
  request.id = words.operands()[0];
  if (request.id.size() != 48 || !from_hex(request.id)) {
    return fail({errc::bad_usage, fmt::format("\"{}\" is not the id of a transfer: 48 hex digits, see fteListTransfers",
                                              escape_control(request.id))});
  }
  say(messages::BFGCL0137I, request.id, *agent);
  const auto answered = ask_agent(*work, *agent, words.text("m"), formats::subject::transfer_cancel,
                                  formats::to_json(request), words.number("w", 30) * 1000);
  if (!answered && answered.error().code == errc::timed_out) {
    fail(answered.error());
    return cancel_timed_out;
  }
  if (!answered) return fail(answered.error());
  if (answered->result_code == 0) {
    say(messages::BFGCL0196I, request.id);
    return 0;
  }
  print_complaint(answered->text);
  return answered->result_code;
}

}  // namespace

const command cancel_transfer{"fteCancelTransfer",
                              "End a transfer that is under way.",
                              options,
                              {"id", "Id of the transfer, 48 hex digits.", 1, 1},
                              {},
                              "Files that are complete already stay; a part of a file is removed.\n"
                              "Exit codes: 0 cancelled, 22 no answer in time, 26 the agent has no such transfer.",
                              "fteCancelTransfer -a SRC 0123456789abcdef0123456789abcdef0123456789abcdef",
                              run};

}  // namespace baton::commands
