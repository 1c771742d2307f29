// The way back to the first queue manager of the list, for the active instance of an agent that is connected to another
// one. It looks every now and then whether the first one is up. When it is, the transfers are brought to a checkpoint,
// what STATE has of them is put on STATE of the first one, and only when that is on stable storage there it goes from
// here, and the instance gives its lock back. Loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/amqp/connection.hpp"
#include "common/amqp/probe.hpp"
#include "common/loop.hpp"
#include "common/worker_pool.hpp"

namespace baton::agent {

class relocation {
 public:
  struct handlers {
    std::function<bool()> wanted;                          // not at the first, and the lock can be given back
    std::function<amqp::connection_options()> first;       // where that is
    std::function<void(std::function<void()> then)> halt;  // work ends at a checkpoint; STATE stays
    std::function<std::vector<amqp::message>()> content;   // of STATE
    // What STATE has of it, and of nothing else: what cannot be copied stays here.
    std::function<std::vector<amqp::delivery_id>()> held;
    std::function<void(const std::vector<amqp::delivery_id>&)> settle;
    std::function<void(bool moved)> leave;  // the lock; false: go on here
  };
  relocation(event_loop& loop, worker_pool& pool, std::string agent, std::int64_t interval_ms, handlers to);
  ~relocation();

  // The instance has become active, or is not any more.
  void active(bool yes);

 private:
  class transport;
  void look_later();
  void look();
  void prepare();
  void go();
  void copy();
  void arrived(bool all);

  event_loop& loop_;
  worker_pool& pool_;
  const std::string agent_;
  const std::int64_t interval_ms_;
  const handlers to_;
  event_loop::timer_id timer_ = 0;
  std::unique_ptr<amqp::probe> probe_;
  std::unique_ptr<transport> transport_;
  std::vector<amqp::delivery_id> held_;
  std::shared_ptr<int> activation_ = std::make_shared<int>(0);  // which one: what comes from an earlier one is too late
};

}  // namespace baton::agent
