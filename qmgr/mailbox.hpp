// Carries the actions of one connection from the loop thread to the AMQP thread: one wake-up for everything that a turn
// decided. It outlives the connection, so that actions which come too late fall into the void. Any thread.
#pragma once

#include <proton/connection.h>
#include <proton/proactor.h>

#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

#include "qmgr/actions.hpp"

namespace baton::qmgr {

class mailbox {
 public:
  explicit mailbox(pn_connection_t* owner) : owner_(owner) {}

  void put(std::vector<action>&& actions) {
    const std::lock_guard alive(owner_mutex_);
    if (owner_ == nullptr) return;
    {
      const std::lock_guard lock(waiting_mutex_);
      std::move(actions.begin(), actions.end(), std::back_inserter(waiting_));
    }
    pn_connection_wake(owner_);  // who is woken takes at once what waits, and finds that lock free
  }
  std::vector<action> take() {
    const std::lock_guard lock(waiting_mutex_);
    return std::exchange(waiting_, {});
  }
  // The connection is about to be freed.
  void close() {
    const std::lock_guard alive(owner_mutex_);
    owner_ = nullptr;
    take();
  }

 private:
  std::mutex owner_mutex_;  // taken first
  pn_connection_t* owner_;
  std::mutex waiting_mutex_;
  std::vector<action> waiting_;
};

}  // namespace baton::qmgr
