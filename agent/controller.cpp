#include "agent/controller.hpp"

#include <algorithm>

#include "agent/exit_codes.hpp"

#include "common/backoff.hpp"

namespace baton::agent {
namespace {
constexpr std::int64_t first_delay_ms = 100, delay_ms_max = 10000;  // doubled with each end
}

controller_output controller_machine::agent_ended(int exit_code, std::int64_t now_ms) {
  if (exit_code == exit_stopped || exit_code == exit_cannot_run) return controller_decision::end{};
  if (exit_code == exit_qmgr_unavailable) {
    if (now_ms - last_qmgr_end_ms_ > limits_.interval_ms) qmgr_waits_ = 0;  // it was there meanwhile
    last_qmgr_end_ms_ = now_ms;
    const std::int64_t wait = doubled_wait_ms(first_delay_ms, qmgr_waits_++, limits_.qmgr_retry_ms);
    return controller_decision::start_again{wait, true};
  }
  qmgr_waits_ = 0;
  while (!ends_.empty() && ends_.front() <= now_ms - limits_.interval_ms) ends_.pop_front();
  ends_.push_back(now_ms);
  const int ends = static_cast<int>(ends_.size());
  if (ends > limits_.restarts_max) {
    if (limits_.restart_delay_ms < 0) return controller_decision::give_up{ends};
    ends_.clear();
    ++restarts_;
    return controller_decision::start_again{limits_.restart_delay_ms, false};
  }
  ++restarts_;
  return controller_decision::start_again{doubled_wait_ms(first_delay_ms, ends - 1, delay_ms_max), false};
}

}  // namespace baton::agent
