// fteCreateTransfer: asks a source agent to send files to a destination agent.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "commands/commands.hpp"
#include "commands/console.hpp"
#include "commands/conversation.hpp"
#include "commands/qmgr_request.hpp"
#include "commands/transfer_wait.hpp"
#include "common/formats/queues.hpp"
#include "common/random.hpp"
#include "common/text.hpp"
#include "properties/names.hpp"

namespace baton::commands {
namespace {

constexpr std::size_t transfer_id_bytes = 24;

constexpr option options[] = {
    {"sa", "source-agent", option_kind::text, "agent", "Agent that sends.", true},
    {"da", "destination-agent", option_kind::text, "agent", "Agent that receives.", true},
    {"sm", "source-qmgr", option_kind::text, "qmgr",
     "Queue manager of the source agent. Default: the one in the agent's own properties when it is configured on this "
     "host, else the one that commands connect to."},
    {"dm", "destination-qmgr", option_kind::text, "qmgr", "Queue manager of the destination agent. Default: as -sm."},
    {"df", "destination-file", option_kind::text, "file", "Name of the destination file; for one source file."},
    {"dd", "destination-directory", option_kind::text, "directory", "Directory that the files are put into."},
    {"de", "destination-exists", option_kind::choice, "action",
     "What to do when a destination file exists. Default: error.", false, false, false, 0, 0, "error|overwrite"},
    {"sd", "source-disposition", option_kind::choice, "action",
     "What to do with a source file that has arrived. Default: leave.", false, false, false, 0, 0, "leave|delete"},
    {"t", "type", option_kind::choice, "type", "How files are transferred. Default: binary.", false, false, false, 0, 0,
     "binary|text"},
    {"cs", "checksum", option_kind::choice, "method", "Checksum that both ends compare. Default: XXH3.", false, false,
     false, 0, 0, "none|MD5|SHA-256|XXH3"},
    {"r", "recursive", option_kind::flag, "", "Also files in the directories below."},
    {"jn", "job-name", option_kind::text, "name", "Name for people, kept in the log."},
    {"md", "metadata", option_kind::text, "key=value,...", "Metadata, kept in the log.", false, true},
    {"pr", "priority", option_kind::number, "priority", "Transfers of higher priority begin first. Default: 0.", false,
     false, false, 0, 9},
    {"rt", "recovery-timeout", option_kind::number, "seconds",
     "Time that the transfer may be in recovery; -1: for ever. Default: the source agent's transferRecoveryTimeout.",
     false, false, false, -1, formats::recovery_timeout_s_max},
    {"bw", "bandwidth", option_kind::number, "bytes",
     "Bytes per second that the transfer may use. Default: no limit but the source agent's agentBandwidthLimit.", false,
     false, false, 1, 1099511627776},
    {"presrc", "pre-source", option_kind::text, "program",
     "Program that the source agent runs before data moves, as command(argument,...),retries,seconds,success: "
     "everything but the command may be left out. It is one of the agent's commandPath. When it fails, so does the "
     "transfer."},
    {"postsrc", "post-source", option_kind::text, "program",
     "Program that the source agent runs after all files have arrived. When it fails the transfer is a partial "
     "success."},
    {"sq", "source-queue", option_kind::text, "queue[@qmgr]",
     "Queue of the source agent's queue manager whose messages become the file that -df names, one after the other. "
     "They "
     "are taken off the queue when they have arrived. Needs enableQueueInputOutput=true; the only source."},
    {"sqwt", "source-queue-wait", option_kind::number, "seconds",
     "How long an empty queue is waited on before the file ends, or with -sqgi for a complete group. Default: 0.",
     false, false, false, 0, formats::queue_wait_s_max},
    {"sqgi", "source-queue-group-id", option_kind::flag, "",
     "Of the messages only one group: the first that is complete, in the order of its numbers (group-id, "
     "group-sequence). The last message of a group has the application property JMS_IBM_Last_Msg_In_Group=true."},
    {"sqdt", "source-queue-delimiter-text", option_kind::text, "text",
     "Text that is put between the messages, in UTF-8."},
    {"sqdb", "source-queue-delimiter-bytes", option_kind::text, "hex,...",
     "Bytes that are put between the messages, as 0x and two hex digits each, with commas between."},
    {"sqdp", "source-queue-delimiter-position", option_kind::choice, "position",
     "Whether what is put between comes before or behind each message. Default: postfix.", false, false, false, 0, 0,
     "prefix|postfix"},
    {"skeep", "source-keep-trailing-spaces", option_kind::flag, "",
     "Spaces at the end of messages stay. They always do: it is only there for scripts written for IBM MFT."},
    {"sqx", "source-queue-exclusive", option_kind::flag, "",
     "Nobody else may read the queue meanwhile; when somebody does, the source agent waits until it is free."},
    {"w", "wait", option_kind::number, "seconds",
     "Wait for the end of the transfer and show how far it is; without a value, or with -1, for ever. The exit code is "
     "the "
     "transfer's result code.",
     false, false, true, -1, 31536000},
    configuration_option,
    json_option,
};
constexpr std::string_view not_yet[] = {
    "td", "gt", "ss", "tb", "oi", "of",   "oc",   "es",   "tr",  "tl",  "sce", "dce",  "dle",  "predst", "postdst",
    "dq", "ds", "dp", "du", "qs", "dqdb", "dqdt", "dqdp", "dqp", "qmp", "qi",  "srdb", "srdp", "dtr",    "dfa"};

error wrong(std::string text) {
  return {errc::bad_usage, std::move(text)};
}

status add_metadata(const arguments& words, formats::transfer_request& request) {
  for (const std::string& list : words.texts("md")) {
    for (const std::string& pair : split(list, ',')) {
      const auto equals = pair.find('=');
      if (equals == std::string::npos || equals == 0) {
        return wrong(
            fmt::format("-md needs key=value pairs with commas between, and not \"{}\"", escape_control(pair)));
      }
      request.metadata[pair.substr(0, equals)] = pair.substr(equals + 1);
    }
  }
  return done();
}

status add_agents(const arguments& words, formats::transfer_request& request) {
  const auto source = checked_agent_name(words.text("sa")), destination = checked_agent_name(words.text("da"));
  if (!source) return source.error();
  if (!destination) return destination.error();
  request.source_agent = *source;
  request.destination_agent = *destination;
  request.source_qmgr = upper(words.text("sm"));
  request.destination_qmgr = upper(words.text("dm"));
  return done();
}

// 0x0d,0x0a as hex digits.
result<std::string> delimiter_of(const arguments& words) {
  if (words.has("sqdt") && words.has("sqdb")) return wrong("say what is between the messages: either -sqdt or -sqdb");
  if (words.has("sqdt")) return to_hex(words.text("sqdt"));
  std::string hex;
  for (const std::string& byte : split(words.text("sqdb"), ',')) {
    if (byte.empty() && !words.has("sqdb")) break;
    if (byte.size() != 4 || !(byte.starts_with("0x") || byte.starts_with("0X")) || !from_hex(byte.substr(2))) {
      return wrong(fmt::format("-sqdb needs bytes like 0x0d,0x0a, and not \"{}\"", escape_control(words.text("sqdb"))));
    }
    hex += byte.substr(2);
  }
  return hex;
}

status add_queue(const arguments& words, formats::transfer_request& request, formats::transfer_spec spec) {
  if (!words.operands().empty()) return wrong("with -sq the queue is the only source");
  if (!words.has("df")) return wrong("with -sq say with -df which file the messages go to");
  for (const char* other : {"r", "sd"}) {
    if (words.has(other)) return wrong(fmt::format("-{} is for files, not for -sq", other));
  }
  if (words.text("t") == "text") return wrong("-t text is for files: messages are transferred as they are");
  if (words.text("cs") == "none") return wrong("-sq needs a checksum: its messages are taken off the queue");
  spec.from = formats::source_kind::queue;
  const std::string& named = words.text("sq");
  const auto at = named.find('@');
  spec.source = named.substr(0, at);
  if (at != std::string::npos) spec.source_queue_qmgr = upper(named.substr(at + 1));
  if (spec.source.empty() || (at != std::string::npos && spec.source_queue_qmgr.empty())) {
    return wrong(fmt::format("-sq needs QUEUE or QUEUE@QMGR, and not \"{}\"", escape_control(named)));
  }
  spec.wait_s = words.number("sqwt", 0);
  auto delimiter = delimiter_of(words);
  if (!delimiter) return delimiter.error();
  if (delimiter->size() > 2 * formats::delimiter_bytes_max)
    return wrong("what is between messages has at most 1024 bytes");
  spec.delimiter = std::move(*delimiter);
  spec.delimiter_before = words.text("sqdp") == "prefix";
  spec.exclusive = words.has("sqx");
  spec.group = words.has("sqgi");
  request.specs.push_back(std::move(spec));
  return done();
}

status add_files(const arguments& words, formats::transfer_request& request, formats::transfer_spec spec) {
  for (const char* of_queues : {"sqwt", "sqgi", "sqdt", "sqdb", "sqdp", "skeep", "sqx"}) {
    if (words.has(of_queues)) return wrong(fmt::format("-{} goes with -sq", of_queues));
  }
  if (words.operands().empty()) return wrong("say what to send: files, or with -sq a queue");
  for (const std::string& source : words.operands()) {
    spec.source = source;
    request.specs.push_back(spec);
  }
  return done();
}

status add_specs(const arguments& words, formats::transfer_request& request) {
  const bool to_file = words.has("df");
  if (to_file == words.has("dd")) return wrong("say where the files go: either -df or -dd");
  if (to_file && words.operands().size() > 1) return wrong("-df is for one source; use -dd for several");
  formats::transfer_spec spec;
  spec.recursive = words.has("r");
  spec.destination = words.text(to_file ? "df" : "dd");
  spec.kind = to_file ? formats::destination_kind::file : formats::destination_kind::directory;
  if (words.text("sd") == "delete") spec.source_disposition = formats::disposition::remove;
  if (words.text("de") == "overwrite") spec.exist = formats::exist_action::overwrite;
  if (words.text("t") == "text") spec.mode = formats::file_mode::text;
  if (words.has("cs")) spec.checksum = *formats::checksum_from(words.text("cs"));
  return (words.has("sq") ? add_queue : add_files)(words, request, std::move(spec));
}

status add_programs(const arguments& words, formats::transfer_request& request) {
  for (const auto& [option, call] : {std::pair{"presrc", &request.pre_source}, {"postsrc", &request.post_source}}) {
    if (!words.has(option)) continue;
    auto parsed = formats::parse_program_call(words.text(option));
    if (!parsed) return wrong(fmt::format("-{}: {}", option, parsed.error().text));
    *call = std::move(*parsed);
  }
  return done();
}

result<formats::transfer_request> request_of(const arguments& words) {
  formats::transfer_request request;
  for (auto add : {add_agents, add_specs, add_metadata, add_programs}) {
    if (auto added = add(words, request); !added) return added.error();
  }
  request.id = random_hex(transfer_id_bytes);
  request.job = words.text("jn");
  request.originator_host = host_name();
  request.originator_user = user_name();
  request.priority = static_cast<int>(words.number("pr", 0));
  request.recovery_timeout_s = words.number("rt", request.recovery_timeout_s);
  request.bandwidth = static_cast<std::uint64_t>(words.number("bw", 0));
  request.wait = words.has("w");
  return request;
}

status send(amqp::requester& conversation, const formats::transfer_request& request) {
  amqp::message message;
  message.id = request.id;
  message.correlation_id = request.id;
  message.subject = formats::subject::transfer_request;
  if (request.wait) message.reply_to = conversation.reply_address();
  message.body = formats::to_json(request);
  constexpr std::int64_t timeout_ms = 5000;
  auto sent = conversation.send(formats::command_queue(request.source_agent), std::move(message), timeout_ms);
  if (sent || sent.error().code != errc::not_found) return sent;
  return error{errc::not_found, fmt::format("there is no agent {} on its queue manager: fteListAgents lists the agents",
                                            request.source_agent)};
}

void report_request(const formats::transfer_request& request, bool json) {
  if (json) return print_line(nlohmann::json{{"id", request.id}}.dump());
  say(messages::BFGCL0035I, request.id);
  say(messages::BFGCL0182I);
}

int run(const arguments& words) {
  const auto request = request_of(words);
  if (!request) return fail(request.error());
  const auto work = open_workspace(words);
  if (!work) return fail(work.error());
  const auto peer = qmgr_of_agent(*work, request->source_agent, request->source_qmgr);
  if (!peer) return fail(peer.error());
  auto conversation = amqp::requester::connect(command_connection(*peer, 5000), 5000);
  if (!conversation) return fail(conversation.error());
  const auto sent = send(**conversation, *request);
  if (!sent) return fail(sent.error());
  report_request(*request, words.has("json"));
  if (!request->wait) return 0;
  const std::int64_t seconds = words.number("w", -1);
  return wait_for_transfer(*work, std::move(*conversation), *request, seconds < 0 ? -1 : seconds * 1000,
                           words.has("json"));
}

}  // namespace

const command create_transfer{
    "fteCreateTransfer",
    "Transfer files from one agent to another.",
    options,
    {"source",
     "File, directory or wildcard (* and ?) on the source agent's host. Relative paths start from its transferRoot. At "
     "least one, or -sq.",
     0, any_number},
    not_yet,
    "Quote wildcards: they are meant for the source agent, not for the shell. Without -w the command ends when the "
    "queue "
    "manager has the request.\n"
    "Exit codes with -w: 0 success, 20 some files failed, 40 no file was transferred, 41 cancelled, 2 the time was "
    "over.",
    "fteCreateTransfer -sa SRC -da DST -dd /data/in -w '/data/out/*.csv'",
    run};

}  // namespace baton::commands
