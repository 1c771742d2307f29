// The token on the HA queue of an agent: being delivered it is the proof of being the one active consumer. JSON body.
// docs/formats.md has an example; agent/lock/README.md says what is done with it.
#pragma once

#include <cstdint>
#include <string>

#include "common/result.hpp"

namespace baton::formats {

namespace subject {
inline constexpr const char* lock_token = "lock.token";  // on SYSTEM.FTE.HA.<agent>
}

struct lock_token {
  std::uint64_t epoch = 0;      // 0: a seed, which only makes sure that there is something to be delivered
  std::uint64_t sequence = 0;   // 0: the claim of the epoch; then its renewals
  std::string run;              // random id of the process start that wrote it
  std::string instance, host;   // for people
  std::int64_t renewed_ms = 0;  // wall clock, UTC, for people: nothing is decided by it
  bool released = false;        // the last one of its writer, who does nothing any more
  bool moved = false;           // with released: it goes on at the first queue manager of its list
  std::string version;          // of the program that wrote it
  int format = 1;               // of what it left on STATE: a reader of an older one must not take over
};

// The newest format of the records on STATE that this program reads and writes.
inline constexpr int state_format = 1;

std::string to_json(const lock_token& token);
result<lock_token> read_lock_token(const std::string& json);

}  // namespace baton::formats
