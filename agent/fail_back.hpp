// When the active instance of an agent gives the lock back to one that is preferred to it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agent/instance_list.hpp"

namespace baton::agent {

class fail_back {
 public:
  // `delay_ms`: failBackDelay. `own_priority`: of this instance.
  fail_back(bool wanted, std::int64_t delay_ms, int own_priority)
      : wanted_(wanted), delay_ms_(delay_ms), own_priority_(own_priority) {}

  // How often one that stands by tells that it is well.
  static std::int64_t report_interval_ms(std::int64_t delay_ms);
  // This instance is active. `again`: it had given the lock back and got it again, for nobody took it. Each time that
  // this happens it waits twice as long before it tries once more.
  void active(bool again);
  // To whom the lock is to be given now, if to anybody.
  std::optional<formats::instance_status> due(const instance_list& others, std::int64_t now_ms) const;

 private:
  const bool wanted_;
  const std::int64_t delay_ms_;
  const int own_priority_;
  int in_vain_ = 0;
};

}  // namespace baton::agent
