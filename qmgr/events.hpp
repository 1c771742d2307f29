// What the AMQP side tells the broker core, as plain values. Ids are given by the AMQP side, never used twice in one
// run, and order inside one connection is kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "qmgr/header.hpp"
#include "qmgr/payload.hpp"

namespace baton::qmgr {

using connection_id = std::uint64_t;
using link_id = std::uint64_t;
using delivery_number = std::uint64_t;  // counts the deliveries of one link, from 1

enum class outcome { accepted, rejected, released, modified };

struct connection_opened {
  connection_id connection = 0;
  std::string container_id;
};
struct connection_gone {
  connection_id connection = 0;
};

struct consumer_attached {
  connection_id connection = 0;
  link_id link = 0;
  std::string address;
  bool dynamic = false;     // wants a temporary queue
  bool browse = false;      // copies only
  bool presettled = false;  // at most once: settled as it is sent
  int priority = 0;         // who becomes the active consumer next; higher first
  // Of an owner that fences: takes an exclusive queue from one with a lower epoch that is not 0.
  std::uint64_t epoch = 0;
  bool exclusive = false;  // wants to be the only consumer of a shared queue
};
struct producer_attached {
  connection_id connection = 0;
  link_id link = 0;
  std::string address;
};
struct link_gone {
  link_id link = 0;
};

// A consumer may be sent `limit` deliveries in total, counted from its attach. drain: what cannot be used now is given
// back.
struct credit_given {
  link_id link = 0;
  std::uint64_t limit = 0;
  bool drain = false;
};

struct message_arrived {
  link_id link = 0;
  delivery_number delivery = 0;
  bool presettled = false;
  parsed_header head;
  payload_ptr body;
};

// The consumer's word on a delivery.
struct delivery_settled {
  link_id link = 0;
  delivery_number delivery = 0;
  outcome how = outcome::accepted;
  bool failed = false;         // modified: counts as a failed delivery
  bool undeliverable = false;  // modified: not to this consumer again
  bool answer = false;         // the consumer waits for our settlement
};

// Deliveries up to this one have left for the consumer, so that their bytes no longer count as waiting. Not `soon`: the
// core need not have a turn for it.
struct deliveries_sent {
  link_id link = 0;
  delivery_number up_to = 0;
  bool soon = false;
};

using event = std::variant<connection_opened, connection_gone, consumer_attached, producer_attached, link_gone,
                           credit_given, message_arrived, delivery_settled, deliveries_sent>;

}  // namespace baton::qmgr
