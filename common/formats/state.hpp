// The record of a transfer on the STATE queue of its source agent. JSON body, version 1. Of two records for one
// transfer the one with the higher sequence counts.
#pragma once

#include <cstdint>
#include <string>

#include "common/result.hpp"

namespace baton::formats {

namespace subject {
inline constexpr const char* source_record = "state.source";  // body: source_record
}

struct source_record {
  std::string transfer_id;
  std::uint64_t sequence = 0;
  std::string request;   // the transfer_request, as it came
  std::string reply_to;  // where progress and result go, empty: nobody waits
  std::string correlation_id;
  std::uint64_t attempt = 0;       // the last one asked for
  std::uint64_t results_from = 0;  // the first item without a result
  std::uint64_t succeeded = 0, failed = 0, warnings = 0, bytes = 0;
  std::uint64_t log_sequence = 0;  // of the next log event
  std::int64_t start_time_ms = 0;  // wall clock, UTC
  int recoveries = 0;
};

std::string to_json(const source_record& record);
result<source_record> read_source_record(const std::string& json);

}  // namespace baton::formats
