// The highest epoch of the agent that this host has seen, in a file: for agents with a list of queue managers, each of
// which knows only the epochs that were claimed at it, and for those whose epochs began again while their peers went
// on. Loop thread.
#pragma once

#include <cstdint>
#include <string>

#include "common/worker_pool.hpp"

namespace baton::agent {

class remembered_epoch {
 public:
  // Reads the file; without a name nothing is remembered.
  remembered_epoch(worker_pool& pool, std::string file);
  // 0: none.
  std::uint64_t highest() const { return highest_; }
  // Writes the file on a worker when it is higher. What a crash loses of it peers notice: two runs with one epoch they
  // do not take.
  void remember(std::uint64_t epoch);

 private:
  worker_pool& pool_;
  const std::string file_;
  std::uint64_t highest_ = 0;
};

}  // namespace baton::agent
