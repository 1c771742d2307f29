// What this agent has seen of each peer agent's epochs, and so which of a peer's messages still count: a lower epoch
// than the highest one comes from an instance that is not active any more, and of two runs with one epoch the second
// came by a lock that was not kept exclusive. Pure. Loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>

namespace baton::transfer {

class epoch_fence {
 public:
  enum class verdict { pass, stale, rival };  // rival: the epoch is known, of another run
  struct seen {
    std::uint64_t epoch = 0;
    std::string run;
  };

  // Of a message that comes from the agent; what passes is remembered when it is higher.
  verdict judge(const std::string& agent, std::uint64_t epoch, const std::string& run);
  // The highest epoch; 0 of an agent that nothing has come from.
  const seen& newest(const std::string& agent) const;
  // True once for each agent, epoch and run: to say in the log what was refused.
  bool first_refusal(const std::string& agent, std::uint64_t epoch, const std::string& run);

 private:
  std::map<std::string, seen> newest_;
  std::set<std::tuple<std::string, std::uint64_t, std::string>> told_;
};

}  // namespace baton::transfer
