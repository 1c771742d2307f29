// A fixed number of threads that do what blocks: reading, writing, checksums, name look-ups. A job's result goes back
// to the event loop as a closure.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "common/loop.hpp"

namespace baton {

class worker_pool {
 public:
  using work = std::function<std::function<void()>()>;  // runs on a worker; what it returns runs on the loop

  // threads: property ioThreadPoolSize. With 0 jobs run on the loop, one after the other: for tests that must repeat.
  worker_pool(event_loop& loop, int threads);
  ~worker_pool();  // waits for the jobs under way; those not begun are dropped
  worker_pool(const worker_pool&) = delete;
  worker_pool& operator=(const worker_pool&) = delete;

  // Loop thread. Who submits bounds how many jobs it has under way: a transfer has one.
  void submit(work job);
  // Loop thread. Nothing runs or waits; what finished jobs gave back has been posted to the loop.
  bool idle();

 private:
  void serve();

  event_loop& loop_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<work> jobs_;
  std::size_t running_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace baton
