// Brings what the agent publishes (status, transfer log, progress) to the coordination queue manager, on a connection
// of its own. While that is away nothing else stops: publications wait here, up to a limit, the oldest first
// to go, and are sent when it is back. Loop thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "common/amqp/connection.hpp"
#include "common/worker_pool.hpp"

namespace baton::agent {

class publisher : public amqp::connection_events {
 public:
  // `where` finds the coordination queue manager; it reads files and runs on a worker before each attempt.
  using locator = std::function<result<amqp::connection_options>()>;
  publisher(event_loop& loop, worker_pool& pool, locator where);
  ~publisher() override;

  void start();
  // A message for SYSTEM.FTE. Not durable ones are dropped while there is no connection. `told` is called once: when
  // the queue manager has answered for it, or as soon as there is no connection; it may be called at once.
  void publish(amqp::message content, std::function<void()> told = nullptr);
  // Nothing waits that could be sent now.
  bool quiet() const { return !open_ || (waiting_.empty() && unsettled_.empty()); }
  std::size_t waiting() const { return waiting_.size(); }
  void close();

 private:
  struct publication {
    amqp::message content;
    std::function<void()> told;  // empty when it has been called
  };
  static void tell(publication& of);
  publication take_first();
  void connect();
  void retry(const error& why);
  void pump();
  void link_opened(amqp::link_id link, const std::string& address) override;
  void link_lost(amqp::link_id link, const error& why) override;
  void connection_lost(const error& why) override;
  void sent(amqp::send_id id, amqp::outcome how) override;

  event_loop& loop_;
  worker_pool& pool_;
  const locator where_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<amqp::connection> connection_;
  amqp::link_id link_ = 0;
  bool open_ = false, told_ = false, closed_ = false;
  int failures_ = 0;
  std::deque<publication> waiting_;
  std::size_t waiting_bytes_ = 0;  // bodies
  std::uint64_t dropped_ = 0;      // since there is no connection
  std::map<amqp::send_id, publication> unsettled_;
};

}  // namespace baton::agent
