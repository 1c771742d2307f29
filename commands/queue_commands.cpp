// fteDefineQueue and fteDeleteQueue: what the administrator's scripts of agents are made of.
#include <fmt/format.h>

#include "commands/commands.hpp"
#include "commands/console.hpp"
#include "commands/qmgr_request.hpp"
#include "common/amqp/dialect.hpp"
#include "properties/connection.hpp"
#include "properties/names.hpp"

namespace baton::commands {
namespace {

constexpr option qmgr_option{"m", "qmgr", option_kind::text, "qmgr", "Queue manager that has the queue.", true};
constexpr option host_option{"host", "host", option_kind::text, "host",
                             "Its host. Without it: the embedded queue manager of this host."};
constexpr option port_option{
    "port", "port", option_kind::number, "port", "Its port. Default: 5672.", false, false, false, 1, 65535};

constexpr option define_options[] = {
    qmgr_option,
    {"type", "type", option_kind::choice, "type",
     "Who may receive: everybody, one, or one at a time while others wait.", true, false, false, 0, 0,
     "shared|exclusive|single-active"},
    {"max", "max-messages", option_kind::number, "count", "Most messages that it holds. Default: no limit.", false,
     false, false, 1, 1000000000},
    {"dropOldest", "drop-oldest", option_kind::flag, "",
     "At the limit the oldest message goes. Without it: messages are refused."},
    host_option,
    port_option,
};
constexpr option delete_options[] = {qmgr_option, host_option, port_option};

result<amqp::connection_options> target(const arguments& words) {
  const auto name = checked_qmgr_name(words.text("m"));
  if (!name) return name.error();
  if (words.has("port") && !words.has("host")) return error{errc::bad_usage, "-port goes with -host"};
  if (words.has("host")) {
    amqp::endpoint peer;
    peer.host = words.text("host");
    peer.port = static_cast<std::uint16_t>(words.number("port", 5672));
    return command_connection(peer);
  }
  const auto where = layout::from_environment();
  if (!where) return where.error();
  const auto local = local_qmgr_connection(*name, *where);
  if (!local) return local.error();
  return command_connection(local->peer);
}

formats::queue_kind kind_of(const std::string& word) {
  if (word == "exclusive") return formats::queue_kind::exclusive;
  return word == "single-active" ? formats::queue_kind::single_active : formats::queue_kind::shared;
}

int run_define(const arguments& words) {
  const auto peer = target(words);
  if (!peer) return fail(peer.error());
  const std::string& queue = words.operands()[0];
  const formats::queue_declaration wanted{queue, kind_of(words.text("type")),
                                          static_cast<std::uint64_t>(words.number("max", 0)), words.has("dropOldest")};
  const auto made = amqp::embedded_dialect().declare(*peer, {wanted}, answer_timeout_ms);
  if (!made) return fail(made.error());
  say(messages::BFGCL0925I, queue);
  return 0;
}

int run_delete(const arguments& words) {
  const auto peer = target(words);
  if (!peer) return fail(peer.error());
  const auto removed = amqp::embedded_dialect().remove(*peer, {words.operands()[0]}, answer_timeout_ms);
  if (!removed) return fail(removed.error());
  say(messages::BFGCL0926I, words.operands()[0]);
  return 0;
}

}  // namespace

const command define_queue{"fteDefineQueue",
                           "Make a queue on an embedded queue manager.",
                           define_options,
                           {"queue", "Name of the queue.", 1, 1},
                           {},
                           "A queue that exists with the same attributes is left as it is; with others it is an error.",
                           "fteDefineQueue -m QM1 -type exclusive SYSTEM.FTE.COMMAND.SRC",
                           run_define};

const command delete_queue{"fteDeleteQueue",
                           "Remove a queue of an embedded queue manager, with what is in it.",
                           delete_options,
                           {"queue", "Name of the queue. One that does not exist is passed over.", 1, 1},
                           {},
                           "",
                           "fteDeleteQueue -m QM1 SYSTEM.FTE.COMMAND.SRC",
                           run_delete};

}  // namespace baton::commands
