// One client's connection: turns Proton's events into broker events and the broker's actions into Proton calls. It
// decides nothing but how many bytes Proton may hold for a slow peer. AMQP thread only.
#pragma once

#include <proton/connection.h>
#include <proton/delivery.h>
#include <proton/event.h>
#include <proton/link.h>
#include <proton/session.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

#include "qmgr/actions.hpp"
#include "qmgr/mailbox.hpp"

namespace baton::qmgr {

class amqp_connection {
 public:
  struct settings {
    std::string container_id;
    std::uint64_t message_bytes_max = 0;
  };
  // `events` collects what there is to tell; whoever runs the AMQP thread passes it on.
  amqp_connection(pn_connection_t* connection, connection_id id, const settings& options, std::uint64_t& last_link,
                  std::vector<event>& events);

  void handle(pn_event_t* happened);
  // Says goodbye to a peer that may not come in. Before or after its open.
  void refuse(fault why) { refusal_ = std::move(why); }

  // It has had long enough to open; nothing but this notices a peer that says nothing before that. What it leads to
  // happens with the connection's own next event.
  void give_up_opening();

  connection_id id() const { return id_; }
  const std::shared_ptr<mailbox>& inbox() const { return inbox_; }

 private:
  // Something that waits for the peer's credit or for the transport, in order: a delivery, or the end of a drain.
  struct outgoing {
    deliver what;
    bool end_of_drain = false;
  };
  struct link_state {
    link_id id = 0;
    pn_link_t* link = nullptr;
    // We send:
    std::deque<outgoing> waiting;
    std::uint64_t used = 0;  // credit that was used or given back, counted from the attach
    std::uint64_t told_limit = 0;
    bool told_drain = false;
    delivery_number told_sent = 0, sent = 0;
    std::size_t untold_bytes = 0;                                    // sent since the core was last told without delay
    std::unordered_map<delivery_number, pn_delivery_t*> unanswered;  // the peer waits for our settlement
    // We receive:
    std::deque<pn_delivery_t*> arrivals;  // unsettled; nullptr: settled out of order
    delivery_number first_arrival = 1;    // number of arrivals.front()
  };

  void on_remote_open();
  void on_session_gone(pn_session_t* session);
  void on_link_open(pn_link_t* link);
  void on_link_gone(pn_link_t* link, bool closed);
  void attach_consumer(pn_link_t* link, link_id id);
  void attach_producer(pn_link_t* link, link_id id);
  void on_flow(link_state& state);
  void on_delivery(pn_delivery_t* delivery);
  void on_arrival(link_state& state, pn_delivery_t* delivery);
  void pass_over(pn_delivery_t* delivery);
  void on_outcome(link_state& state, pn_delivery_t* delivery);
  void on_wake();
  bool has_opened() const { return (pn_connection_state(connection_) & PN_REMOTE_UNINIT) == 0; }
  void on_transport_closed();

  void act(accept_link& what);
  void act(close_link& what);
  void act(grant_credit& what);
  void act(settle_arrival& what);
  void act(deliver& what);
  void act(settle_delivery& what);
  void act(credit_drained& what);
  void act(close_connection& what);

  link_state* find(link_id link);
  void forget(link_state& state);
  void end_link(pn_link_t* link, const fault& why);
  void settle(link_state& state, delivery_number number, outcome how, const fault& why);
  void pump(link_state& state);
  void pump_blocked();
  void send(link_state& state, const deliver& what);

  pn_connection_t* connection_;
  connection_id id_;
  const settings& options_;
  std::uint64_t& last_link_;
  std::vector<event>& events_;
  std::shared_ptr<mailbox> inbox_;
  fault refusal_;
  bool given_up_ = false;
  std::unordered_map<link_id, std::unique_ptr<link_state>> links_;
  std::set<link_id> blocked_;  // senders with something waiting
};

}  // namespace baton::qmgr
