// What the readers of an application's queue leave for each other on SYSTEM.FTE.QUEUE.<queue>: whose messages are being
// taken off it, and whose were taken by somebody else instead. One message, replaced by newer ones. JSON body;
// docs/formats.md has an example, agent/queue/README.md says what is done with it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/result.hpp"

namespace baton::formats {

namespace subject {
inline constexpr const char* queue_journal = "queue.journal";
}

struct queue_journal {
  std::uint64_t sequence = 0;          // higher counts; 0: only shows that all before it has been read
  std::string agent;                   // that wrote it, for people
  std::string transfer_id;             // whose messages are taken off next, or were last
  std::string first;                   // hex: what the first of them is known by
  std::vector<std::string> overtaken;  // transfers whose messages another one has taken; the newest last, at most 1,000
};

inline constexpr std::size_t overtaken_max = 1000;

std::string to_json(const queue_journal& j);
result<queue_journal> read_queue_journal(const std::string& json);

}  // namespace baton::formats
