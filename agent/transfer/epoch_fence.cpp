#include "agent/transfer/epoch_fence.hpp"

namespace baton::transfer {
namespace {
constexpr std::size_t remembered_max = 10000;  // agents, refusals: far above any topology; garbage must not fill memory
}

epoch_fence::verdict epoch_fence::judge(const std::string& agent, std::uint64_t epoch, const std::string& run) {
  const auto known = newest_.find(agent);
  if (known == newest_.end()) {
    if (newest_.size() < remembered_max) newest_[agent] = {epoch, run};
    return verdict::pass;
  }
  seen& highest = known->second;
  if (epoch < highest.epoch) return verdict::stale;
  if (epoch == highest.epoch) return run == highest.run ? verdict::pass : verdict::rival;
  highest = {epoch, run};
  return verdict::pass;
}

const epoch_fence::seen& epoch_fence::newest(const std::string& agent) const {
  static const seen nothing;
  const auto known = newest_.find(agent);
  return known == newest_.end() ? nothing : known->second;
}

bool epoch_fence::first_refusal(const std::string& agent, std::uint64_t epoch, const std::string& run) {
  return told_.size() < remembered_max && told_.emplace(agent, epoch, run).second;
}

}  // namespace baton::transfer
