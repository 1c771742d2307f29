#include "common/worker_pool.hpp"

namespace baton {

worker_pool::worker_pool(event_loop& loop, int threads) : loop_(loop) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { serve(); });
}

worker_pool::~worker_pool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void worker_pool::submit(work job) {
  if (threads_.empty()) {
    return loop_.post([job = std::move(job)] {
      if (const auto then = job()) then();
    });
  }
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  ready_.notify_one();
}

bool worker_pool::idle() {
  const std::lock_guard lock(mutex_);
  return jobs_.empty() && running_ == 0;
}

void worker_pool::serve() {
  for (;;) {
    work job;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (stopping_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
      ++running_;
    }
    if (auto then = job()) loop_.post(std::move(then));
    job = nullptr;  // what it holds goes before it counts as finished
    const std::lock_guard lock(mutex_);
    --running_;
  }
}

}  // namespace baton
