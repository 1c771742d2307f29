// Brings what the agent publishes (status, transfer log, progress) to the coordination queue manager, on a connection
// of its own, which is there when there is something to publish: idle agents, and those that stand by, have none. While
// that queue manager is away nothing else stops: publications wait here, up to a limit, the oldest first to go, and are
// sent when it is back. Loop thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/amqp/connection.hpp"
#include "common/amqp/probe.hpp"
#include "common/amqp/qmgr_choice.hpp"
#include "common/worker_pool.hpp"

namespace baton::agent {

class publisher : public amqp::connection_events {
 public:
  // `where` finds the coordination queue managers, in the order in which they are tried; it reads files and runs on a
  // worker before each attempt.
  using locator = std::function<result<std::vector<amqp::connection_options>>()>;
  struct options {
    bool goes_back = true;  // to the first when it is up again; it looks so often:
    std::int64_t look_ms = 30000;
    bool randomize = false;        // the order
    std::int64_t idle_ms = 10000;  // the connection is closed when nothing was published for so long
  };
  publisher(event_loop& loop, worker_pool& pool, locator where, options how);
  ~publisher() override;

  // A message for SYSTEM.FTE. Not durable ones are dropped while the queue manager is away. `told` is called once: when
  // the queue manager has answered for it, or as soon as that is away; it may be called at once.
  void publish(amqp::message content, std::function<void()> told = nullptr);
  // Nothing waits that could be sent now.
  bool quiet() const { return way_ == way::away || (waiting_.empty() && unsettled_.empty()); }
  std::size_t waiting() const { return waiting_.size(); }
  void close();

 private:
  enum class way { idle, opening, open, away };  // away: the last attempt failed, or it was lost
  struct publication {
    amqp::message content;
    std::function<void()> told;  // empty when it has been called
  };
  static void tell(publication& of);
  publication take_first();
  void connect();
  void retry(const error& why);
  void lost();
  void again_after(std::int64_t delay_ms);
  void look_for_first();
  bool may_go_back() const;
  void go_back(bool up);
  void pump();
  void watch_idle();
  void rest();
  amqp::qmgr_choice choice_of(std::size_t count) const;
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
  way way_ = way::idle;
  bool told_ = false, closed_ = false;
  event_loop::timer_id idle_timer_ = 0;
  const options how_;
  std::size_t count_ = 0;  // of the list
  amqp::qmgr_choice choice_;
  amqp::connection_options first_;
  std::unique_ptr<amqp::probe> probe_;
  std::deque<publication> waiting_;
  std::size_t waiting_bytes_ = 0;  // bodies
  std::uint64_t dropped_ = 0;      // since there is no connection
  std::map<amqp::send_id, publication> unsettled_;
};

}  // namespace baton::agent
