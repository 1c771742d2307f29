// The whole queue manager: store, core and AMQP side put together, and how it starts and ends. Loop thread only, unless
// said otherwise.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "common/loop.hpp"
#include "common/result.hpp"
#include "qmgr/amqp_server.hpp"
#include "qmgr/engine.hpp"

namespace baton::qmgr {

struct options {
  std::string name;
  std::filesystem::path store_file;
  std::string bind_address = "127.0.0.1";
  std::uint16_t port = 5672;             // 0: any free one
  std::uint32_t idle_timeout_ms = 4500;  // advertised; a client silent for longer is cut off
  std::uint64_t message_bytes_max = 16u << 20;
  std::uint32_t connections_max = 5000;
  std::uint64_t memory_limit = 64u << 20;  // bytes; messages that are not durable, and a fourth of it again as cache
  std::string tls_certificate, tls_key, tls_trust;  // PEM files; all or none
};

// errc::bad_property when the address can be reached from outside and TLS is not complete.
status check(const options& wanted);

// What is different where several instances share the store; all of it or nothing.
struct shared_use {
  std::unique_ptr<store> claimed;                      // open, and this process's own
  std::function<bool()> may_leave;                     // asked before anything leaves: is it still?
  std::function<void(bool immediate)> stop_requested;  // by a client; who gives the store decides
  std::function<void()> ended;                         // instead of stopping the loop; the store is closed
};

class queue_manager {
 public:
  queue_manager(event_loop& loop, options wanted, shared_use shared = {});
  ~queue_manager();

  // Opens the store and listens. Before loop.run().
  status start();
  std::uint16_t port() const { return facts_.port; }

  // immediate: ends at once, what was accepted is committed. Else clients are asked to end and waited for. Either way
  // the loop is stopped when it is done. Any thread may post it to the loop.
  void stop(bool immediate);
  // Cuts every connection; nothing leaves any more.
  void cut() { server_.reset(); }

 private:
  void wait_for_clients(std::int64_t deadline_ms);
  void end();

  event_loop& loop_;
  options options_;
  shared_use shared_;
  manager_facts facts_;
  std::unique_ptr<store> store_;
  std::unique_ptr<broker> broker_;
  std::unique_ptr<management> management_;
  std::unique_ptr<engine> engine_;
  std::unique_ptr<amqp_server> server_;
  bool stopping_ = false;
  event_loop::timer_id wait_timer_ = 0;
};

}  // namespace baton::qmgr
