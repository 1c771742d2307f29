// What an instance does while it stands by: tells the active one that it is there (at once, at each change, and every
// standbyStatusPublishInterval), and finds out whether it could take over from it. Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/settings.hpp"
#include "common/amqp/connection.hpp"
#include "common/loop.hpp"
#include "common/worker_pool.hpp"

namespace baton::agent {

class standby_reporter {
 public:
  struct handlers {
    // `settled` hears of it when it has arrived.
    std::function<void(const std::string& address, amqp::message content, std::function<void()> settled)> send;
    std::function<amqp::connection_options()> qmgr;
    std::function<std::uint64_t()> claimed;          // the last epoch that this process had
    std::function<void(std::uint64_t epoch)> epoch;  // of the active one
    std::function<void()> incompatible;              // it must not take over: the other one writes what it cannot read
  };
  standby_reporter(event_loop& loop, worker_pool& pool, const settings& s, handlers to);
  ~standby_reporter();

  void stand_by(bool yes);
  // Tells the active instance that this one ends, if it stands by, and goes on when that has arrived or a moment
  // passed.
  void leave(std::function<void()> then);

 private:
  void report(const char* role, std::function<void()> settled = nullptr);
  void report_again();
  void compare_versions();
  void compared(const std::string& instance, const std::string& version, int format);

  event_loop& loop_;
  worker_pool& pool_;
  const settings& settings_;
  const handlers to_;
  std::int64_t interval_ms() const;
  bool standing_by_ = false, compared_ = false;
  std::int64_t since_ms_ = 0;
  event_loop::timer_id timer_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace baton::agent
