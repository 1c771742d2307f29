// What the broker core asks of the AMQP side and of the store, as plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "qmgr/events.hpp"

namespace baton::qmgr {

// An AMQP error: condition symbol and description. An empty condition: none.
struct fault {
  std::string condition;
  std::string text;
};

struct accept_link {
  link_id link = 0;
  std::string address;  // told to the peer; for a dynamic source the name of its temporary queue
};
struct close_link {  // also refuses an attach
  link_id link = 0;
  fault why;
};
struct grant_credit {
  link_id link = 0;
  std::uint32_t count = 0;
};
struct settle_arrival {  // our outcome of a message that a producer sent
  link_id link = 0;
  delivery_number delivery = 0;
  outcome how = outcome::accepted;
  fault why;
};
struct deliver {
  link_id link = 0;
  delivery_number delivery = 0;
  bool presettled = false;
  header head;
  std::size_t body_offset = 0;  // where the sections after the header start
  payload_ptr body;             // missing: to be read from the store first
  std::uint64_t sequence = 0;   // its key in the store
};
struct settle_delivery {  // answers a consumer that waits for our settlement
  link_id link = 0;
  delivery_number delivery = 0;
};
struct credit_drained {  // in order with the deliveries before it
  link_id link = 0;
};
struct close_connection {
  fault why;
};

using action = std::variant<accept_link, close_link, grant_credit, settle_arrival, deliver, settle_delivery,
                            credit_drained, close_connection>;
using action_lists = std::map<connection_id, std::vector<action>>;

// What one turn changes in the store; all of it or nothing.
struct stored_message {
  std::uint64_t sequence = 0;  // order of arrival over all queues
  std::uint64_t queue = 0;     // id of the queue's definition
  header head;
  std::size_t body_offset = 0;
  std::int64_t expires_ms = 0;  // wall clock; 0: never
  std::int64_t arrived_ms = 0;  // wall clock
  std::size_t size = 0;
  payload_ptr body;  // empty when only the index is read
};
struct message_moved {
  std::uint64_t sequence = 0;
  std::uint64_t queue = 0;  // where it now is; it no longer expires
};
struct store_changes {
  std::vector<stored_message> added;
  std::vector<message_moved> moved;
  std::vector<std::uint64_t> removed;
  bool empty() const { return added.empty() && moved.empty() && removed.empty(); }
};

}  // namespace baton::qmgr
