// The threads that programs of transfers are waited for on: as many as maxCommandHandlerThreads, and none before the
// first program. Loop thread.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "agent/transfer/program.hpp"
#include "agent/transfer/services.hpp"

namespace baton::transfer {

class program_runner {
 public:
  explicit program_runner(services& agent) : agent_(agent) {}

  // `then` hears how it ended, on the loop. `stopped` ends it. Where this instance may not act it is not begun, and the
  // end that is told has neither `how` nor `failure`.
  void run(const formats::program_call& call, const std::map<std::string, std::string>& environment,
           std::shared_ptr<const std::atomic<bool>> stopped, std::function<void(program_end)> then) {
    const auto& limits = agent_.settings().programs;
    if (!pool_) pool_.emplace(agent_.loop(), limits.threads);
    pool_->submit([&agent = agent_, call, limits, environment, stopped = std::move(stopped),
                   then = std::move(then)]() -> std::function<void()> {
      program_end end;
      if (!*stopped && agent.lease_holds()) end = run_program(call, limits, environment, *stopped);
      return [then, end] { then(end); };
    });
  }

 private:
  services& agent_;
  std::optional<worker_pool> pool_;
};

}  // namespace baton::transfer
