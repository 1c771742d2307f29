// Transfers that have ended while an older record of them stands at another queue manager: a line each in a file, so
// that an agent that comes there after a restart does not begin them anew. Loop thread; written on a worker.
#pragma once

#include <deque>
#include <string>

#include "common/worker_pool.hpp"

namespace baton::agent {

class ended_elsewhere {
 public:
  ended_elsewhere(worker_pool& pool, std::string file) : pool_(pool), file_(std::move(file)) {}

  // What the file has, oldest first; nothing when there is none.
  const std::deque<std::string>& load();
  // The newest 10,000 are kept.
  void add(const std::string& transfer_id);

 private:
  worker_pool& pool_;
  const std::string file_;
  std::deque<std::string> ids_;
};

}  // namespace baton::agent
