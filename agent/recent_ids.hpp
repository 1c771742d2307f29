// Remembers the newest ids, and forgets the oldest beyond a limit: what is repeated late enough to be unknown by then
// was repeated too late to matter. Loop thread.
#pragma once

#include <cstddef>
#include <deque>
#include <set>
#include <string>

namespace baton::agent {

class recent_ids {
 public:
  explicit recent_ids(std::size_t count_max) : count_max_(count_max) {}

  void add(const std::string& id) {
    if (!known_.insert(id).second) return;
    order_.push_back(id);
    if (order_.size() <= count_max_) return;
    known_.erase(order_.front());
    order_.pop_front();
  }
  bool has(const std::string& id) const { return known_.count(id) > 0; }

 private:
  const std::size_t count_max_;
  std::set<std::string> known_;
  std::deque<std::string> order_;
};

}  // namespace baton::agent
