// The turns: collects what the AMQP side tells, lets the core decide, commits once, and only then lets the actions out.
// Everything but submit() is for the loop thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "common/loop.hpp"
#include "qmgr/broker.hpp"
#include "qmgr/management.hpp"
#include "qmgr/store.hpp"

namespace baton::qmgr {

class engine {
 public:
  // `leave` takes what a turn decided to the AMQP side. `may_leave`, when there is one, is asked after the commit: if
  // it says no, this process is not the owner of the store any more, and nothing leaves.
  engine(event_loop& loop, broker& core, store& disk, management& manager, std::function<void(action_lists)> leave,
         std::function<bool()> may_leave);

  // Any thread. Bounded by the credit that the core has granted.
  void submit(std::vector<event>&& happened);

  // Takes what the store holds into the core, before the first turn.
  status recover();
  // One turn, with or without events.
  void turn();

 private:
  void commit();
  void answer_requests(std::int64_t now_ms);
  action_lists with_bodies(action_lists actions);
  void watch_expiry();
  void report(const status& outcome);

  event_loop& loop_;
  broker& core_;
  store& disk_;
  management& manager_;
  std::function<void(action_lists)> leave_;
  std::function<bool()> may_leave_;
  bool expiry_watched_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  bool store_failing_ = false;

  std::mutex mutex_;  // guards the rest
  std::vector<event> pending_;
  bool turn_posted_ = false;
};

}  // namespace baton::qmgr
