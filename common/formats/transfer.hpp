// What two agents say to each other about a transfer. JSON bodies, version 1; the data itself is in frame.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/result.hpp"

namespace baton::formats {

namespace subject {
inline constexpr const char* negotiate = "transfer.negotiate";    // source -> COMMAND.<destination>
inline constexpr const char* negotiated = "transfer.negotiated";  // destination -> REPLY.<source>
inline constexpr const char* ack = "transfer.ack";                // destination -> REPLY.<source>
inline constexpr const char* finish = "transfer.finish";          // source -> COMMAND.<destination>
inline constexpr const char* transfer_query = "transfer.query";   // source -> COMMAND.<destination>
inline constexpr const char* data = "transfer.data";              // source -> DATA.<destination>; body: a frame
}  // namespace subject

// Where a transfer goes on: everything before this byte of this item is safe at the destination.
struct position {
  std::uint64_t item = 0;
  std::uint64_t offset = 0;
  auto operator<=>(const position&) const = default;
};

inline constexpr std::uint64_t items_per_frame_max = 256;

// How many results a destination can tell again, of a transfer with so many frames under way. A source reads no item
// whose result could push one out that its durable record lacks.
inline constexpr std::uint64_t results_told_again(std::uint32_t window_frames) {
  return 4 * items_per_frame_max * (std::uint64_t{window_frames} + 1);
}

// Where a source can bring the data of one transfer, past the queue manager (agent/channel/). Once.
struct data_offer {
  std::string host;
  int port = 0;         // 0: nowhere
  std::string secret;   // 64 hex digits
  bool tls = false;     // the certificate has to say `host`
  std::string machine;  // not empty: only reachable from there
};

// Asks the destination to take (or to go on with) a transfer.
struct negotiate {
  std::string transfer_id, source_agent, job;
  std::uint64_t epoch = 0;    // of the source agent's lock
  std::string run;            // the source process that won it
  std::uint64_t attempt = 0;  // rising: frames and acks of an older attempt are ignored
  std::uint64_t items_total = 0, bytes_total = 0;
  std::uint64_t results_from = 0;  // the first item whose result the source does not have yet
  bool again = false;              // data was sent before: items may have arrived whose results were lost
  std::uint32_t chunk_bytes = 262144, window_frames = 10;
  bool direct = false;  // the source would rather bring the data itself
  // When an answer of the destination had a lower epoch than the source has seen of it: that one, and whose it is. An
  // agent that was made anew counts from 1 again.
  std::uint64_t epoch_seen = 0;
  std::string run_seen;
};

struct negotiated {
  std::string transfer_id;
  std::uint64_t epoch = 0;  // of the destination agent's lock
  std::string run;
  std::uint64_t attempt = 0;
  int result_code = 0;  // 0, 45 no capacity, 52 not permitted, code_stale_epoch, ...
  std::string text;
  position from;
  std::uint32_t chunk_bytes = 262144, window_frames = 10;  // the smaller of both sides
  std::uint64_t epoch_seen = 0;                            // with code_stale_epoch: the highest one of the source agent
  std::string run_seen;                                    // and whose it is
  data_offer direct;
};

// Not one of the field's: the source's epoch is not the highest that the destination has seen, or belongs to another
// run. It never is the result of a transfer.
inline constexpr int code_stale_epoch = 190;

struct item_result {
  std::uint64_t number = 0;
  int result_code = 0;   // 0 ok, 1 failed, 2 warning
  std::string text;      // a rendered message when not 0
  std::string checksum;  // what the destination computed, hex
};

// Why a destination takes nothing more in an attempt.
enum class halt_reason {
  none,
  damaged,  // what came is not what was sent, or cannot be read: it has to be sent again
  no_room,  // in its file system
};

// Frames up to `frames` of this attempt are consumed, and these items have ended. What it says of an item is on
// stable storage.
struct ack {
  std::string transfer_id;
  std::uint64_t epoch = 0;
  std::string run;
  std::uint64_t attempt = 0;
  std::uint64_t frames = 0;
  position durable;
  std::vector<item_result> results;
  bool complete = false;  // every item of the transfer has a result
  halt_reason halted = halt_reason::none;
  std::string text;  // a rendered message when halted
};

// Of a source that has heard nothing for a while. A destination that does not know of this attempt answers with an ack
// of it that has no frames and no results, and with it its epoch; one that does says nothing.
struct transfer_query {
  std::string transfer_id, source_agent;
  std::uint64_t epoch = 0;
  std::string run;
  std::uint64_t attempt = 0;
};

struct finish {
  std::string transfer_id;
  std::uint64_t epoch = 0;
  std::string run;
  std::uint64_t attempt = 0;
  std::string how;  // completed, cancelled, failed
  std::string source_agent;
  // Of the destination, bytes: where items are that have no result, as far as that is known. An activation before may
  // have left parts of them, and no record of it.
  std::vector<std::string> directories;
};

std::string to_json(const negotiate& m);
std::string to_json(const negotiated& m);
std::string to_json(const ack& m);
std::string to_json(const finish& m);
std::string to_json(const transfer_query& m);
result<negotiate> read_negotiate(const std::string& json);
result<negotiated> read_negotiated(const std::string& json);
result<ack> read_ack(const std::string& json);
result<finish> read_finish(const std::string& json);
result<transfer_query> read_transfer_query(const std::string& json);

}  // namespace baton::formats
