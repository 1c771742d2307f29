// A command's conversation with a queue manager: connect, ask, wait for the answer. One thread, blocking, every wait
// with a deadline. Daemons have an event loop, and may only use it on a worker thread.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "common/amqp/connection.hpp"

namespace baton::amqp {

class requester : public connection_events {
 public:
  // Connects and opens a temporary queue for answers. Errors: errc::unreachable, not_permitted, timed_out.
  static result<std::unique_ptr<requester>> connect(const connection_options& options, std::int64_t timeout_ms);
  ~requester() override;

  // The address of the temporary queue: requests carry it as reply_to.
  const std::string& reply_address() const { return reply_address_; }

  // Sends one message and waits until the queue manager accepted it. errc::not_found when the address does not exist.
  status send(const std::string& address, message content, std::int64_t timeout_ms);

  // The next message that came to the temporary queue; errc::timed_out when none came.
  result<message> receive(std::int64_t timeout_ms);

  // send with reply_to and a correlation id of its own, then the answer with that correlation id.
  result<message> request(const std::string& address, message content, std::int64_t timeout_ms);

 private:
  requester() = default;
  void connection_lost(const error& why) override;
  void link_opened(link_id link, const std::string& address) override;
  void link_lost(link_id link, const error& why) override;
  void received(link_id link, delivery_id delivery, message&& content) override;
  void sent(send_id id, outcome how) override;
  status wait(const std::function<bool()>& done, std::int64_t timeout_ms, const std::string& what);

  event_loop loop_;
  std::unique_ptr<connection> connection_;
  link_id replies_ = 0;
  std::string reply_address_;
  std::map<std::string, link_id> senders_;
  std::map<link_id, error> lost_links_;
  std::optional<error> lost_;
  std::map<send_id, outcome> outcomes_;
  std::deque<message> received_;
};

}  // namespace baton::amqp
