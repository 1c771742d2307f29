// The one event loop of a process: it owns every decision. Other threads hand it closures; nothing that runs on it
// blocks.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>

namespace baton {

// Time since boot, which goes on while the machine sleeps: leases and timeouts must not stretch over a suspend.
std::int64_t boot_time_ms();
// Wall clock, milliseconds since 1970, UTC: only for showing to people and for records.
std::int64_t wall_time_ms();

class event_loop {
 public:
  using task = std::function<void()>;
  using timer_id = std::uint64_t;  // 0 is never used

  // Any thread. Runs the task on the loop, after those posted before. What posts is bounded by its own credit or
  // window, so the queue is; tasks posted after stop() are dropped.
  void post(task work);

  // Loop thread, or before run(). Runs the task once, no sooner than after delay_ms.
  timer_id after(std::int64_t delay_ms, task work);
  void cancel(timer_id timer);  // unknown or fired: nothing happens

  // Runs tasks until stop(). The calling thread becomes the loop thread.
  void run();
  // The same until done() holds, which is looked at after each task; false when timeout_ms passed before. For commands.
  bool run_until(const std::function<bool()>& done, std::int64_t timeout_ms);
  // Any thread. run() returns after the task that it is in.
  void stop();

 private:
  bool take_next(task& work);

  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<task> tasks_;
  bool stopped_ = false;
  std::uint64_t last_timer_ = 0;
  std::map<std::pair<std::int64_t, timer_id>, task> timers_;  // by deadline, loop thread only
  std::map<timer_id, std::int64_t> deadlines_;
};

}  // namespace baton
