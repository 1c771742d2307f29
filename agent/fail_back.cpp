#include "agent/fail_back.hpp"

#include <algorithm>

#include "common/backoff.hpp"

namespace baton::agent {
namespace {
constexpr std::int64_t report_least_ms = 500, report_slack_ms = 1000, delay_least_ms = 1000, delay_longest_ms = 3600000;
}  // namespace

std::int64_t fail_back::report_interval_ms(std::int64_t delay_ms) {
  return std::max(delay_ms / 2, report_least_ms);
}

void fail_back::active(bool again) {
  in_vain_ = again ? in_vain_ + 1 : 0;
}

std::optional<formats::instance_status> fail_back::due(const instance_list& others, std::int64_t now_ms) const {
  if (!wanted_) return std::nullopt;
  const std::int64_t longest = std::max(delay_longest_ms, delay_ms_);
  const std::int64_t steady =
      in_vain_ == 0 ? delay_ms_ : doubled_wait_ms(std::max(delay_ms_, delay_least_ms), in_vain_, longest);
  return others.preferred_to(own_priority_, steady, report_interval_ms(delay_ms_) + report_slack_ms, now_ms);
}

}  // namespace baton::agent
