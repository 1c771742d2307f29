#include "qmgr/credit.hpp"

#include <algorithm>

namespace baton::qmgr {

void producer_credit::used(std::size_t size, bool stored) {
  if (outstanding_ > 0) --outstanding_;
  estimate_ = std::max<std::uint64_t>(size, estimate_ - estimate_ / 8);
  stored_ = stored;
  seen_ = true;
}

std::uint64_t producer_credit::window(const memory_ledger& ledger) const {
  const std::uint64_t cost = memory_ledger::cost(estimate_);
  if (!seen_) return first_credit;
  if (stored_) return std::clamp<std::uint64_t>(stored_window_bytes / cost, 1, credit_window);
  const std::uint64_t budget = ledger.bytes_max(estimate_);
  const std::uint64_t taken = ledger.resident() + ledger.promised() - promised_;
  const std::uint64_t free = budget > taken ? budget - taken : 0;
  std::uint64_t window =
      std::min<std::uint64_t>({credit_window, free / cost, std::max<std::uint64_t>(budget / 8 / cost, 1)});
  // Promises to idle producers must not stop the busy ones while the memory itself is mostly free.
  if (window < 2 && ledger.resident() + 2 * cost <= budget / 2) window = 2;
  return window;
}

std::uint32_t producer_credit::grant(memory_ledger& ledger) {
  const auto target = static_cast<std::uint32_t>(window(ledger));
  std::uint32_t more = 0;
  if (target > outstanding_ && outstanding_ <= target / 2) more = target - outstanding_;
  outstanding_ += more;
  promise(ledger);
  return more;
}

void producer_credit::promise(memory_ledger& ledger) {
  const std::uint64_t now = seen_ && !stored_ ? outstanding_ * memory_ledger::cost(estimate_) : 0;
  ledger.promise(promised_, now);
  promised_ = now;
}

void producer_credit::forget(memory_ledger& ledger) {
  ledger.promise(promised_, 0);
  promised_ = 0;
}

}  // namespace baton::qmgr
