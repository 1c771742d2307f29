// What an agent keeps on its STATE queue, and all that another instance of it knows when it takes over: a record of
// each transfer that it sends or receives, and the plan of each that it sends. Records are JSON, version 1, with a
// checksum; of two records for one transfer the one with the higher sequence counts. A part of a plan is binary.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/formats/transfer.hpp"
#include "common/result.hpp"

namespace baton::formats {

namespace subject {
inline constexpr const char* source_record = "state.source";            // body: source_record
inline constexpr const char* destination_record = "state.destination";  // body: destination_record
inline constexpr const char* plan_part = "state.plan";                  // body: plan_part
// To an agent's REPLY queue, from itself: when it is accepted, what was settled before on its connection counts.
inline constexpr const char* queue_mark = "queue.mark";  // body: empty
inline constexpr const char* state_mark = "state.mark";  // body: any; what was on the queue before has been read
}  // namespace subject

// An item whose arrival is verified and whose source is being deleted, as it was when it was read.
struct verified_item {
  std::uint64_t number = 0;
  std::uint64_t size = 0, device = 0, inode = 0;
  std::int64_t modified_s = 0;
  std::uint32_t modified_ns = 0;
  std::string checksum;  // hex
};

struct source_record {
  std::string transfer_id;
  std::uint64_t sequence = 0;
  std::uint64_t epoch = 0;  // of the instance that wrote it
  std::string request;      // the transfer_request, as it came
  std::string reply_to;     // where progress and result go, empty: nobody waits
  std::string correlation_id;
  std::uint64_t arrival = 0;            // its place among the requests of the agent: lower ones came earlier
  std::uint64_t attempt = 0;            // the last one asked for
  std::uint64_t results_from = 0;       // the first item without a result
  std::vector<std::uint64_t> done;      // items behind that one which have a result
  std::vector<verified_item> deleting;  // what is deleted after this record is durable
  std::uint64_t succeeded = 0, failed = 0, warnings = 0, bytes = 0;
  std::uint64_t sent_bytes = 0;    // of files, also what was sent again
  std::uint64_t log_sequence = 0;  // of the next log event
  std::int64_t start_time_ms = 0;  // wall clock, UTC
  int recoveries = 0;
  // The plan: with `planned` its parts are on STATE, and data may have moved under its numbers.
  bool planned = false;
  std::uint64_t plan_parts = 0, plan_bytes = 0;
  std::string plan_check;  // hex, XXH3-64 of the whole plan
  std::uint64_t items_total = 0, bytes_total = 0;
  std::map<std::string, std::string> programs;  // how far each is that was begun: see source_programs
  // The highest epoch of the destination agent that was seen, and whose it was.
  std::uint64_t peer_epoch = 0;
  std::string peer_run;
  // Its messages are taken off their queue, or were: they may be nowhere but at the destination and in the spool.
  bool messages_taken = false;
  // How it ended: then nothing moves any more, and all that is left is to tell. not_ended: it has not.
  static constexpr int not_ended = -1;
  int result_code = not_ended;
  std::string result_text;  // why, where the code alone does not say it
};

struct destination_record {
  std::string transfer_id;
  std::uint64_t sequence = 0;
  std::uint64_t epoch = 0;  // of the instance that wrote it; part files have it in their names
  negotiate terms;          // what the source asked last: its epoch and run are the highest seen
  position durable;         // what comes before is on stable storage
  // The open item, whose first durable.offset bytes are in `part`.
  std::string path, part;  // bytes
  std::uint64_t size = 0;
  std::int64_t modified_s = 0;
  std::uint32_t modified_ns = 0;
};

// A piece of a plan file: part `number` of `count`, at number * plan_part_bytes.
struct plan_part {
  std::string transfer_id;
  std::uint64_t plan_check = 0;  // XXH3-64 of the whole plan: which plan it belongs to
  std::uint32_t number = 0, count = 0;
  std::string_view packed;
};
inline constexpr std::size_t plan_part_bytes = 256 * 1024;
// A part is held for as long as its transfer runs, by the queue manager and by the agent, and names repeat: it travels
// in less than a tenth. Both cost time: for workers.
std::string pack_plan(std::string_view bytes);
result<std::string> unpack_plan(std::string_view packed);  // errc::bad_message; at most plan_part_bytes

std::string to_json(const source_record& record);
std::string to_json(const destination_record& record);
std::string to_bytes(const plan_part& part);
// errc::bad_message also when the checksum is missing or wrong.
result<source_record> read_source_record(const std::string& json);
result<destination_record> read_destination_record(const std::string& json);
result<plan_part> read_plan_part(std::string_view bytes);  // the view points into them

}  // namespace baton::formats
