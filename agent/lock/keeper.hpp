// Drives the lock's machine: feeds it events, carries out its actions, keeps its timer. Loop thread, but for
// lease_holds().
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "agent/lock/machine.hpp"
#include "common/formats/lock.hpp"
#include "common/loop.hpp"

namespace baton::lock {

class keeper {
 public:
  // What the machine's actions are to the agent. None of them may destroy the keeper.
  struct handlers {
    std::function<void(generation as, address where)> connect;
    std::function<void()> disconnect;
    std::function<void(generation of, formats::lock_token token, bool durable)> send;
    std::function<void(delivery id)> settle;
    std::function<void(std::uint64_t epoch, bool clean)> activate;
    std::function<void()> deactivate;
    std::function<void(std::int64_t wait_ms)> excluded;
    std::function<void()> admitted;
    std::function<void(state from, state to)> changed;  // after the actions of the step
  };
  // `about`: instance, host, version and format of the tokens that are sent. `run`: unique for this process start.
  keeper(event_loop& loop, limits l, formats::lock_token about, handlers to);
  ~keeper();

  void feed(const input& happened);
  // A token of the HA queue. Text that is no token counts as a seed, which is settled by whoever is active.
  void delivered(generation of, delivery id, const std::string& body);

  lock::state state() const { return machine_.state(); }
  std::uint64_t epoch() const { return machine_.epoch(); }
  // Until the machine does something by itself; 0 when it is late or stopped.
  std::int64_t wake_in_ms() const;
  // The newest token of the activation before the present one that was seen; epoch 0: none.
  const formats::lock_token& predecessor() const { return predecessor_; }
  // Any thread: an irreversible act may be done now.
  bool lease_holds() const { return boot_time_ms() < deadline_ms_.load(); }

 private:
  void perform(const action::connect& a) { to_.connect(a.as, a.where); }
  void perform(const action::disconnect&) { to_.disconnect(); }
  void perform(const action::send& a);
  void perform(const action::settle& a) { to_.settle(a.id); }
  void perform(const action::activate& a) { to_.activate(a.epoch, a.clean); }
  void perform(const action::deactivate&) { to_.deactivate(); }
  void perform(const action::excluded& a) { to_.excluded(a.wait_ms); }
  void perform(const action::admitted&) { to_.admitted(); }

  event_loop& loop_;
  const formats::lock_token about_;
  const handlers to_;
  machine machine_;
  formats::lock_token predecessor_;
  std::deque<input> waiting_;  // events that came while one was being handled
  bool busy_ = false;
  std::atomic<std::int64_t> deadline_ms_{0};
  event_loop::timer_id timer_ = 0;
};

}  // namespace baton::lock
