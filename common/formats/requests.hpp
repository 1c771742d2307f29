// What commands ask agents, and what agents answer. JSON bodies, version 1; docs/formats.md has grammar and examples.
// Unknown members are ignored, so an old reader can read a new writer's record; a higher major `version` is refused.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/formats/program_call.hpp"
#include "common/result.hpp"

namespace baton::formats {

inline constexpr int format_version = 1;

// Message subjects on COMMAND queues.
namespace subject {
inline constexpr const char* transfer_request = "transfer.request";  // body: transfer_request
inline constexpr const char* transfer_cancel = "transfer.cancel";    // body: cancel_request
inline constexpr const char* agent_ping = "agent.ping";              // body: empty
inline constexpr const char* agent_stop = "agent.stop";              // body: stop_request
// Answers, to the reply_to of the request, with its correlation id.
inline constexpr const char* reply = "reply";                 // body: reply; the last answer
inline constexpr const char* progress = "transfer.progress";  // body: progress; any number before the reply
}  // namespace subject

enum class file_mode { binary, text };
enum class checksum_kind { none, md5, sha256, xxh3 };
enum class disposition { leave, remove };
enum class exist_action { error, overwrite };
enum class destination_kind { file, directory };
enum class source_kind { file, queue };

std::string to_string(checksum_kind kind);  // "none", "MD5", "SHA-256", "XXH3"
std::optional<checksum_kind> checksum_from(const std::string& word);
std::string to_string(file_mode mode);     // "binary", "text"
std::string to_string(disposition what);   // "leave", "delete"
std::string to_string(exist_action what);  // "error", "overwrite"

// One source specification and where it goes. Paths are bytes, in JSON as name_to_text.
struct transfer_spec {
  std::string source;  // file, directory or wildcard; relative: to transferRoot, else the agent user's home
  bool recursive = false;
  disposition source_disposition = disposition::leave;
  std::string destination;  // file or directory on the destination's host
  destination_kind kind = destination_kind::file;
  exist_action exist = exist_action::error;
  file_mode mode = file_mode::binary;
  checksum_kind checksum = checksum_kind::xxh3;
  // The messages of a queue become one file; `source` is its name then. On the source agent's queue manager.
  source_kind from = source_kind::file;
  std::string source_queue_qmgr;  // empty: that one
  std::int64_t wait_s = 0;        // an empty queue is waited on for so long
  std::string delimiter;          // hex, put behind each message
  bool delimiter_before = false;  // or before each
  bool exclusive = false;         // nobody else may read the queue meanwhile
  bool group = false;             // of the messages only the first group that is complete
};

inline constexpr std::int64_t queue_wait_s_max = 86400;
inline constexpr std::size_t transfer_id_digits = 48;  // hex
inline constexpr std::size_t delimiter_bytes_max = 1024;
inline constexpr std::int64_t recovery_timeout_s_max = 31536000;  // a year

struct transfer_request {
  std::string id;  // 48 hex digits
  std::string job;
  std::string originator_host, originator_user;
  std::string source_agent, source_qmgr;
  std::string destination_agent, destination_qmgr;
  int priority = 0;                      // 0 to 9
  std::int64_t recovery_timeout_s = -2;  // -1 forever, 0 at once, seconds up to _max; -2: the agent's property
  std::uint64_t bandwidth = 0;           // bytes per second; 0: only what limits the agent
  std::map<std::string, std::string> metadata;
  std::vector<transfer_spec> specs;
  program_call pre_source, post_source;  // at the source agent, before data moves and after all has arrived
  bool wait = false;                     // the asker wants progress and the result
};

struct cancel_request {
  std::string id;
};

struct stop_request {
  bool immediate = false;
  std::string instance;  // only if the active instance has this name; empty: whoever is active
};

// The last answer to a request.
struct reply {
  int result_code = 0;  // reference section 3.7
  std::string text;     // a rendered message of the catalogue
  std::string transfer_id;
  std::uint64_t items = 0, failed = 0, bytes = 0;  // of a transfer
  std::int64_t elapsed_ms = 0;
  int retries = 0;  // as in progress
  std::uint64_t wasted_bytes = 0;
  std::map<std::string, std::string> details;  // ping: agent version, status
  std::string detail(const std::string& key, const std::string& otherwise = {}) const;
};

// How far a transfer is.
struct progress {
  std::string transfer_id;
  std::string state;  // reference section 5.2
  std::uint64_t items = 0, items_total = 0, failed = 0;
  std::uint64_t bytes = 0, bytes_total = 0;
  std::int64_t elapsed_ms = 0;
  std::string current_item;
  std::uint64_t rate = 0;          // bytes per second in the last seconds
  std::int64_t time_left_ms = -1;  // -1: not known
  int retries = 0;                 // how often it went into recovery
  std::uint64_t wasted_bytes = 0;  // sent in vain: sent again, or of items that failed
  std::string channel;             // direct, queue; empty: no data is sent
};

std::string to_json(const transfer_request& request);
std::string to_json(const cancel_request& request);
std::string to_json(const stop_request& request);
std::string to_json(const reply& answer);
std::string to_json(const progress& how_far);

// errc::bad_message with what is wrong and where.
result<transfer_request> read_transfer_request(const std::string& json);
// The request's one source is a queue.
bool is_from_queue(const transfer_request& r);
// What is of the right type and makes no sense all the same, whoever wrote it: errc::bad_message names the member.
status check(const transfer_request& r);
result<cancel_request> read_cancel_request(const std::string& json);
result<stop_request> read_stop_request(const std::string& json);
result<reply> read_reply(const std::string& json);
result<progress> read_progress(const std::string& json);

}  // namespace baton::formats
