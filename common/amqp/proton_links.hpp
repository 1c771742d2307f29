// The links of one connection, each in a session of its own: a queue manager that reports trouble on a link by ending
// its session (RabbitMQ) then hits that link only, and what a closed link held comes back at once. AMQP thread; adapter
// only.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <proton/connection.hpp>
#include <proton/delivery.hpp>
#include <proton/receiver.hpp>
#include <proton/sender.hpp>
#include <proton/session.hpp>
#include <proton/tracker.hpp>
#include <string>
#include <utility>

#include "common/amqp/connection.hpp"
#include "common/amqp/dialect.hpp"

namespace baton::amqp {

// What is told of links; in the middle of a Proton callback.
class link_listener {
 public:
  virtual ~link_listener() = default;
  virtual void opened(link_id link, const std::string& queue) = 0;
  virtual void ended(link_id link, const error& why) = 0;  // it is dropped already
  virtual void arrived(link_id link, delivery_id delivery, message&& content) = 0;
  virtual void drained(link_id link) = 0;
  virtual void settled(send_id id, outcome how) = 0;
};

class proton_links {
 public:
  // `name`: start of the names of links; unique for the queue manager.
  proton_links(const dialect& speech, std::string name, link_listener& listener)
      : speech_(speech), name_(std::move(name)), listener_(listener) {}

  void make_receiver(proton::connection& through, link_id link, const receiver_options& options);
  // A sender in two steps: from the first it takes messages, with the second it is on the wire.
  void expect_sender(link_id link, const std::string& queue, bool stream);
  void attach_sender(proton::connection& through, link_id link);
  // A sender that must not be attached after all.
  void refuse_sender(link_id link, const error& why);
  void send(link_id link, send_id id, message&& content);
  void settle(delivery_id delivery, outcome how);
  void add_credit(link_id link, std::uint32_t count);
  void drain(link_id link);
  // Ends its session too. Links that do not exist are passed over, here and above.
  void drop(link_id link);
  void drop_all();
  // Sessions that were begun and that the peer has not ended yet.
  std::size_t sessions() const { return sessions_; }
  void forget_all();  // the connection is gone

  // What Proton says.
  void on_receiver_open(proton::receiver& r);
  void on_drained(const proton::receiver& r);
  void on_sender_open(proton::sender& s);
  void on_sendable(proton::sender& s);
  void on_message(proton::delivery& delivery, proton::message& content);
  void on_outcome(const proton::tracker& tracker, outcome how);
  void on_link_end(const proton::link& link, const proton::error_condition& condition);
  void on_session_end(const proton::session& session, const proton::error_condition& condition);
  void on_session_closed() { --sessions_; }

 private:
  struct sending {
    proton::session session;
    proton::sender link;
    std::string queue;
    bool stream = false;
    bool open = false;
    std::deque<std::pair<send_id, message>> waiting;
  };
  struct receiving {
    proton::session session;
    proton::receiver link;
    receiver_options options;
    bool draining = false;
  };

  proton::session begin_session(proton::connection& through);
  std::string name_of(link_id link) const;
  static link_id id_of(const proton::link& link);
  void pump(sending& via);
  void answered(link_id link, const std::string& asked, const std::string& address);
  void end(link_id link, const proton::error_condition& condition);

  const dialect& speech_;
  const std::string name_;
  link_listener& listener_;
  std::map<link_id, sending> senders_;
  std::map<link_id, receiving> receivers_;
  std::size_t sessions_ = 0;
  delivery_id last_delivery_ = 0;
  std::map<delivery_id, std::pair<link_id, proton::delivery>> deliveries_;
};

}  // namespace baton::amqp
