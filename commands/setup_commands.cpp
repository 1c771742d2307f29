// fteSetupCommands: says which queue manager the commands of a set of configuration connect to.
#include "commands/commands.hpp"
#include "commands/console.hpp"
#include "commands/set_up.hpp"
#include "commands/workspace.hpp"
#include "common/amqp/dialect.hpp"

namespace baton::commands {
namespace {

constexpr option options[] = {
    {"connectionQMgr", "connection-qmgr", option_kind::text, "name", "Queue manager that commands connect to.", true},
    {"connectionQMgrHost", "connection-qmgr-host", option_kind::text, "host",
     "Its host. Without it: the embedded queue manager of this host."},
    {"connectionQMgrPort", "connection-qmgr-port", option_kind::text, "port", "Its port. Default: 5672."},
    {"connectionQMgrUrls", "connection-qmgr-urls", option_kind::text, "urls",
     "Several, tried in order, instead of host and port: amqp://one:5672,amqps://two:5671."},
    {"connectionQMgrType", "connection-qmgr-type", option_kind::choice, "type",
     "Kind of queue manager. Default: embedded.", false, false, false, 0, 0, amqp::broker_kind_words},
    {"connectionQMgrManagementUrl", "connection-qmgr-management-url", option_kind::text, "url",
     "Its management over HTTP. Default: the usual port of the kind, on its host; embedded has none."},
    {"connectionQMgrAuthenticationCredentialsFile", "credentials", option_kind::text, "file",
     "MQMFTCredentials.xml with user and password."},
    configuration_option,
    force_option,
};
constexpr std::string_view not_yet[] = {"connectionQMgrChannel"};

int run(const arguments& words) {
  const auto work = open_workspace(words);
  if (!work) return fail(work.error());
  const auto values = values_of_options(words, command_properties());
  if (!values) return fail(values.error());
  const auto file = work->where.command_properties(work->coordination);
  const auto written = write_new_properties(file, command_properties(), *values, words.has("f"));
  if (!written) return fail(written.error());
  say(messages::BFGCL0245I, file.native());
  return 0;
}

}  // namespace

const command setup_commands{"fteSetupCommands",
                             "Say which queue manager the commands connect to.",
                             options,
                             {},
                             not_yet,
                             "Writes command.properties.",
                             "fteSetupCommands -connectionQMgr QM1",
                             run};

}  // namespace baton::commands
