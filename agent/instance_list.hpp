// What the active instance knows of those that stand by. Pure; ages are counted by the caller's clock, so that the
// clocks of other hosts do not matter.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/formats/instances.hpp"

namespace baton::agent {

class instance_list {
 public:
  enum class change { none, joined, changed, ended };

  // discard_ms: standbyStatusDiscardTime.
  explicit instance_list(std::int64_t discard_ms) : discard_ms_(discard_ms) {}

  change merge(const formats::instance_status& heard, std::int64_t now_ms);
  // Removes those that have been silent for too long, and returns them.
  std::vector<formats::instance_status> expire(std::int64_t now_ms);
  // When expire() has something to do; INT64_MAX: never.
  std::int64_t expires_ms() const;
  // One that has been heard of for `steady_ms`, last not longer than `silent_ms` ago, and has a higher priority.
  std::optional<formats::instance_status> preferred_to(int priority, std::int64_t steady_ms, std::int64_t silent_ms,
                                                       std::int64_t now_ms) const;
  std::vector<formats::instance_status> snapshot(std::int64_t now_ms) const;  // by name
  void clear() { known_.clear(); }

 private:
  struct entry {
    formats::instance_status status;
    std::int64_t heard_ms = 0, first_ms = 0;  // first: of this process of it
  };
  const std::int64_t discard_ms_;
  std::map<std::string, entry> known_;
};

}  // namespace baton::agent
