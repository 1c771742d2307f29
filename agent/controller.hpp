// The controller's decisions as a pure machine: what to do when the agent has ended. Loop-free; its main drives it.
#pragma once

#include <cstdint>
#include <deque>
#include <variant>

namespace baton::agent {

struct controller_limits {
  int restarts_max = 4;                // maxRestartCount: the next end within the interval is the last
  std::int64_t interval_ms = 120000;   // maxRestartInterval
  std::int64_t restart_delay_ms = -1;  // maxRestartDelay: -1 gives up, otherwise waits so long and goes on
  std::int64_t qmgr_retry_ms = 30000;  // agentQMgrRetryInterval: the longest wait for a queue manager
};

namespace controller_decision {
struct start_again {
  std::int64_t delay_ms = 0;
  bool waits_for_qmgr = false;
};
struct end {};  // the agent stopped as it was told
struct give_up {
  int ends = 0;
};  // too many ends in too short a time
}  // namespace controller_decision
using controller_output =
    std::variant<controller_decision::start_again, controller_decision::end, controller_decision::give_up>;

class controller_machine {
 public:
  explicit controller_machine(controller_limits limits) : limits_(limits) {}
  // exit_code: of the agent, or -1 when a signal ended it. now_ms: monotonic.
  controller_output agent_ended(int exit_code, std::int64_t now_ms);
  int restarts() const { return restarts_; }

 private:
  const controller_limits limits_;
  std::deque<std::int64_t> ends_;  // unexpected ones within the interval
  int qmgr_waits_ = 0;
  std::int64_t last_qmgr_end_ms_ = 0;
  int restarts_ = 0;
};

}  // namespace baton::agent
