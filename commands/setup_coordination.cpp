// fteSetupCoordination: makes a set of configuration, named after its coordination queue manager.
#include "commands/commands.hpp"
#include "commands/console.hpp"
#include "commands/set_up.hpp"
#include "common/amqp/dialect.hpp"
#include "properties/layout.hpp"
#include "properties/property_set.hpp"

namespace baton::commands {
namespace {

constexpr option options[] = {
    {"coordinationQMgr", "coordination-qmgr", option_kind::text, "name", "Coordination queue manager.", true},
    {"coordinationQMgrHost", "coordination-qmgr-host", option_kind::text, "host",
     "Its host. Without it: the embedded queue manager of this host."},
    {"coordinationQMgrPort", "coordination-qmgr-port", option_kind::text, "port", "Its port. Default: 5672."},
    {"coordinationQMgrUrls", "coordination-qmgr-urls", option_kind::text, "urls",
     "Several, tried in order, instead of host and port: amqp://one:5672,amqps://two:5671."},
    {"coordinationQMgrType", "coordination-qmgr-type", option_kind::choice, "type",
     "Kind of queue manager. Default: embedded.", false, false, false, 0, 0, amqp::broker_kind_words},
    {"coordinationQMgrQueueType", "coordination-qmgr-queue-type", option_kind::choice, "type",
     "For RabbitMQ: classic, or quorum in a cluster. Default: classic.", false, false, false, 0, 0,
     amqp::queue_type_words},
    {"coordinationQMgrManagementUrl", "coordination-qmgr-management-url", option_kind::text, "url",
     "Its management over HTTP. Default: the usual port of the kind, on its host; embedded has none."},
    {"coordinationQMgrAuthenticationCredentialsFile", "credentials", option_kind::text, "file",
     "MQMFTCredentials.xml with user and password."},
    {"default", "default", option_kind::flag, "",
     "Make this the set that commands use without -p. The first set becomes it anyway."},
    force_option,
};
constexpr std::string_view not_yet[] = {"coordinationQMgrChannel"};

// True when installation.properties names no set yet.
bool has_no_default(const layout& where) {
  const auto read = property_set::read(where.installation_properties(), installation_properties());
  return read.missing || (read.ok() && read.values.text("defaultProperties").empty());
}

int run(const arguments& words) {
  const auto where = layout::from_environment();
  if (!where) return fail(where.error());
  const auto values = values_of_options(words, coordination_properties());
  if (!values) return fail(values.error());
  const std::string name = values->at("coordinationQMgr");
  const auto file = where->coordination_properties(name);
  const auto written = write_new_properties(file, coordination_properties(), *values, words.has("f"));
  if (!written) return fail(written.error());
  say(messages::BFGCL0910I, file.native());
  if (!words.has("default") && !has_no_default(*where)) return 0;
  const auto set = set_default_configuration(*where, name);
  if (!set) return fail(set.error());
  say(messages::BFGCL0911I, name);
  return 0;
}

}  // namespace

const command setup_coordination{
    "fteSetupCoordination",
    "Make a set of configuration, named after its coordination queue manager.",
    options,
    {},
    not_yet,
    "Writes coordination.properties. The coordination queue manager is where all agents of a topology publish their "
    "status and transfers.",
    "fteSetupCoordination -coordinationQMgr QM1",
    run};

}  // namespace baton::commands
