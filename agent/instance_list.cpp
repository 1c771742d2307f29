#include "agent/instance_list.hpp"

#include <algorithm>
#include <limits>

namespace baton::agent {

instance_list::change instance_list::merge(const formats::instance_status& heard, std::int64_t now_ms) {
  const auto found = known_.find(heard.name);
  if (heard.role == "ended") {
    if (found == known_.end()) return change::none;
    known_.erase(found);
    return change::ended;
  }
  if (found == known_.end()) {
    known_[heard.name] = {heard, now_ms, now_ms};
    return change::joined;
  }
  const auto& before = found->second.status;
  const bool same = before.host == heard.host && before.pid == heard.pid && before.version == heard.version &&
                    before.role == heard.role && before.priority == heard.priority && before.since_ms == heard.since_ms;
  const bool goes_on = before.pid == heard.pid && before.since_ms == heard.since_ms;
  found->second = {heard, now_ms, goes_on ? found->second.first_ms : now_ms};
  return same ? change::none : change::changed;
}

std::vector<formats::instance_status> instance_list::expire(std::int64_t now_ms) {
  std::vector<formats::instance_status> gone;
  std::erase_if(known_, [&](const auto& one) {
    const bool silent = now_ms - one.second.heard_ms >= discard_ms_;
    if (silent) gone.push_back(one.second.status);
    return silent;
  });
  return gone;
}

std::optional<formats::instance_status> instance_list::preferred_to(int priority, std::int64_t steady_ms,
                                                                    std::int64_t silent_ms, std::int64_t now_ms) const {
  std::optional<formats::instance_status> best;
  for (const auto& [name, one] : known_) {
    const bool healthy = now_ms - one.first_ms >= steady_ms && now_ms - one.heard_ms <= silent_ms;
    const int least = best ? best->priority : priority;
    if (healthy && one.status.role == "standby" && one.status.priority > least) best = one.status;
  }
  return best;
}

std::int64_t instance_list::expires_ms() const {
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  for (const auto& [name, one] : known_) first = std::min(first, one.heard_ms + discard_ms_);
  return first;
}

std::vector<formats::instance_status> instance_list::snapshot(std::int64_t now_ms) const {
  std::vector<formats::instance_status> all;
  for (const auto& [name, one] : known_) {
    all.push_back(one.status);
    all.back().silent_ms = now_ms - one.heard_ms;
  }
  return all;
}

}  // namespace baton::agent
