#include "common/loop.hpp"

#include <ctime>

namespace baton {
namespace {

std::int64_t clock_ms(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

}  // namespace

std::int64_t boot_time_ms() {
  return clock_ms(CLOCK_BOOTTIME);
}
std::int64_t wall_time_ms() {
  return clock_ms(CLOCK_REALTIME);
}

void event_loop::post(task work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    tasks_.push_back(std::move(work));
  }
  ready_.notify_one();
}

event_loop::timer_id event_loop::after(std::int64_t delay_ms, task work) {
  const std::int64_t deadline = boot_time_ms() + delay_ms;
  const timer_id id = ++last_timer_;
  timers_.emplace(std::pair{deadline, id}, std::move(work));
  deadlines_.emplace(id, deadline);
  return id;
}

void event_loop::cancel(timer_id timer) {
  const auto found = deadlines_.find(timer);
  if (found == deadlines_.end()) return;
  timers_.erase({found->second, timer});
  deadlines_.erase(found);
}

bool event_loop::take_next(task& work) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (stopped_) return false;
    if (!timers_.empty() && timers_.begin()->first.first <= boot_time_ms()) {
      const auto due = timers_.begin();
      work = std::move(due->second);
      deadlines_.erase(due->first.second);
      timers_.erase(due);
      return true;
    }
    if (!tasks_.empty()) {
      work = std::move(tasks_.front());
      tasks_.pop_front();
      return true;
    }
    if (timers_.empty()) {
      ready_.wait(lock);
    } else {
      const std::int64_t wait = timers_.begin()->first.first - boot_time_ms();
      ready_.wait_for(lock, std::chrono::milliseconds(wait > 0 ? wait : 0));
    }
  }
}

void event_loop::run() {
  task work;
  while (take_next(work)) {
    work();
    work = nullptr;  // what it captured goes now, not with the next task
  }
}

bool event_loop::run_until(const std::function<bool()>& done, std::int64_t timeout_ms) {
  bool expired = false;
  const timer_id deadline = after(timeout_ms, [&expired] { expired = true; });
  task work;
  while (!done() && !expired && take_next(work)) {
    work();
    work = nullptr;
  }
  cancel(deadline);
  return done();
}

void event_loop::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  ready_.notify_all();
}

}  // namespace baton
