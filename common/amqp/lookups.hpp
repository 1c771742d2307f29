// Questions that block, which AMQP threads must not: whether queues exist, for kinds of queue manager that accept
// messages for missing queues and lose them, and why a certificate is not trusted. The one thread of a process that
// asks. Adapter only.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "common/amqp/connection.hpp"

namespace baton::amqp {

class lookups {
 public:
  // Started with the first question; ends with the process. Any thread.
  static lookups& instance();

  // Calls `then` on this object's thread: true when the queue is known to be missing. A management that does not answer
  // is no reason to stop sending: then it is false, and that management is left alone for a while.
  void ask(const connection_options& where, const std::string& queue, std::function<void(bool missing)> then);

  // The same with what certificate_fault() says.
  void ask_certificate(const endpoint& peer, std::function<void(const std::string& fault)> then);

  lookups(const lookups&) = delete;
  lookups& operator=(const lookups&) = delete;

 private:
  lookups();
  ~lookups();
  void run();
  void add(std::function<void()> question);
  bool missing(const connection_options& where, const std::string& queue);

  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> questions_;
  bool stopped_ = false;
  std::map<std::string, std::int64_t> silent_until_ms_;  // by address of the management; this object's thread
  std::thread thread_;
};

}  // namespace baton::amqp
