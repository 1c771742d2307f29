// Puts a plan on STATE, part by part, before any data moves under its numbers. Loop thread; reading is done on a
// worker.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "agent/transfer/plan.hpp"
#include "agent/transfer/services.hpp"

namespace baton::transfer {

class plan_sender : public std::enable_shared_from_this<plan_sender> {
 public:
  struct handlers {
    std::function<void()> all_sent;          // what is saved from now on comes behind the parts
    std::function<void(bool kept)> settled;  // every part is on stable storage; or one is not. Once, last
  };
  plan_sender(services& agent, std::string transfer_id, std::string path, plan_summary plan, handlers to);
  void start();
  void stop() { over_ = true; }

 private:
  void read_next();
  void send(std::uint64_t number, const std::string& packed);
  void settle(bool kept);

  services& agent_;
  const std::string transfer_id_, path_;
  const plan_summary plan_;
  const handlers to_;
  std::uint64_t sent_ = 0, settled_ = 0;
  bool reading_ = false, over_ = false;
};

}  // namespace baton::transfer
