// The coordination service: consumes what agents publish and answers list queries. It needs nothing but a queue
// manager; when it is down, agents go on and their publications wait there.
//
// One loop of its own, which may block on the database: nothing else runs on it. A publication is settled only after
// the commit that holds it, many in one commit.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/amqp/connection.hpp"
#include "common/amqp/sender_cache.hpp"
#include "common/loop.hpp"
#include "common/worker_pool.hpp"
#include "coordination/history.hpp"

namespace baton::coordination {

struct service_options {
  std::string database;
  int history_days = 30;  // property historyDays; 0: for ever
  bool shared = false;    // the database is on a file system that several hosts use, one after the other
};

class service : public amqp::connection_events {
 public:
  // `where` finds the queue manager before each attempt; it may read files.
  using locator = std::function<result<amqp::connection_options>()>;
  service(event_loop& loop, const service_options& options, locator where);
  // Of several queue managers that agents publish to: this one's. The history is that of the other, which must live as
  // long.
  service(service& first, locator where);
  ~service() override;

  void start();
  void stop();  // loop thread; closes the connection, and the one with the history ends the loop

 private:
  struct publication {
    amqp::delivery_id delivery = 0;
    amqp::message content;
  };
  void connect();
  void open(const amqp::connection_options& where);
  void retry(const error& why);
  void store_batch();
  void apply(const amqp::message& content);
  void answer(const amqp::message& question);
  void prune();

  void connection_lost(const error& why) override;
  void link_opened(amqp::link_id link, const std::string& address) override;
  void link_lost(amqp::link_id link, const error& why) override;
  void received(amqp::link_id link, amqp::delivery_id delivery, amqp::message&& content) override;

  event_loop& loop_;
  const service_options options_;
  const locator where_;
  std::unique_ptr<history> own_history_;
  history& history_;
  std::unique_ptr<amqp::connection> connection_;
  amqp::link_id publications_ = 0, queries_ = 0;
  amqp::sender_cache replies_;
  std::vector<publication> batch_;
  worker_pool pool_;  // with one thread: a queue manager that says nothing must not hold up the others
  int failures_ = 0;
  bool told_ = false, stopped_ = false;
};

// Runs a service in a thread of its own until the object ends: inside the embedded queue manager's process.
class background_service {
 public:
  background_service(service_options options, service::locator where);
  background_service(background_service&& other) noexcept;
  ~background_service();

 private:
  struct running;
  std::unique_ptr<running> running_;
};

}  // namespace baton::coordination
