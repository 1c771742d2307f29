// The newest results of a destination, which its source may not have yet. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "common/formats/transfer.hpp"

namespace baton::transfer {

class recent_results {
 public:
  // `from`: the source has the results of all items before this one. Without it nobody knows: an earlier activation had
  // them.
  explicit recent_results(std::optional<std::uint64_t> from) : kept_from_(from) {}

  // At most `count` are kept: the source has to have those before.
  void add(formats::item_result result, std::size_t count) {
    results_.push_back(std::move(result));
    while (results_.size() > count) {
      if (kept_from_ && *kept_from_ <= results_.front().number) kept_from_ = results_.front().number + 1;
      results_.pop_front();
    }
  }

  // The source asks again, and has the results of all items before `from`. False: it lacks some that are not kept
  // here, because both sides were taken over, and their items have to be received again.
  bool asked_from(std::uint64_t from) {
    const bool kept = kept_from_ && from >= *kept_from_;
    kept_from_ = from;
    std::erase_if(results_, [from](const auto& result) { return result.number < from; });
    return kept;
  }

  std::vector<formats::item_result> all() const { return {results_.begin(), results_.end()}; }
  std::set<std::uint64_t> numbers() const {
    std::set<std::uint64_t> found;
    for (const auto& result : results_) found.insert(result.number);
    return found;
  }

 private:
  std::deque<formats::item_result> results_;
  std::optional<std::uint64_t> kept_from_;  // what came before, the source has to have a result of
};

}  // namespace baton::transfer
