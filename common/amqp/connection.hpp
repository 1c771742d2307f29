// The broker port: one AMQP 1.0 connection, as the rest of Baton sees it. An object is one connection *generation*: it
// connects once, and once it is lost it stays lost; whoever wants to go on makes a new one. That is deliberate: links
// that re-open themselves behind the owner's back are how two instances become active.
//
// An address is the name of a queue; how the queue manager wants it written is the adapter's business, in reply_to too.
// Each link has an AMQP session of its own, so that trouble on one never ends another (decision 009).
//
// All methods are called on the event loop's thread and return at once; what happens is told through `events`, also on
// the loop's thread. Nothing is told any more after the object is destroyed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/amqp/message.hpp"
#include "common/loop.hpp"
#include "common/result.hpp"

namespace baton::amqp {

struct tls_files {
  std::string certificate, key;  // PEM files of this side; both or none
  std::string trust;             // PEM file of the authorities that the peer's certificate must come from
};

// Kinds of queue manager. What differs between them is in dialect.hpp; nobody else looks at this.
enum class broker_kind { embedded, rabbitmq, artemis, qpid };

struct endpoint {
  std::string host = "127.0.0.1";
  std::uint16_t port = 5672;
  std::string user, password;  // empty: ANONYMOUS, or EXTERNAL with a TLS certificate
  tls_files tls;               // trust set: amqps
  broker_kind kind = broker_kind::embedded;
  std::string management_url;  // http://host:port, where the kind has such a thing
  bool quorum_queues = false;  // queues are made as quorum queues; only rabbitmq has them
};

struct connection_options {
  endpoint peer;
  std::string name;                      // start of the container id, which gets a random end
  std::uint32_t idle_timeout_ms = 8000;  // a silent peer is given up after this; at least 2000
  std::uint32_t connect_timeout_ms = 10000;
  // Asks the queue manager to tolerate this side's silence for so long, at most; 0: for as long as it does by itself.
  // Not every kind of queue manager listens.
  std::uint32_t tolerance_ms = 0;
};

using link_id = std::uint32_t;
using delivery_id = std::uint64_t;
using send_id = std::uint64_t;

enum class outcome { accepted, rejected, released, modified };

struct receiver_options {
  std::string address;       // name of a queue; ignored with dynamic
  std::uint32_t credit = 1;  // granted at once; more by add_credit
  bool dynamic = false;      // a temporary queue of this connection; its address comes with link_opened
  bool browse = false;       // copies: messages stay where they are
  // A stream of data, for which its readers have acknowledgements of their own: each message is settled when it is
  // sent, so that there is nothing to settle here, and its body comes as `bulk`.
  bool stream = false;
  // Of the consumers that wait for a single-active queue the highest is next; not every kind of queue manager has it.
  std::optional<int> priority;
  // An exclusive queue is taken from a receiver with a lower epoch, which is closed with errc::in_use; 0: never, and
  // neither is it taken from this one. Not every kind of queue manager has it.
  std::uint64_t epoch = 0;
  // Nobody else may receive from the queue meanwhile, whatever kind of queue it is: errc::in_use when somebody does.
  // Not every kind of queue manager has it.
  bool exclusive = false;
};

class connection_events {
 public:
  virtual ~connection_events() = default;
  virtual void connection_opened() {}
  // Could not be opened, was lost, or was closed by the peer; always the last event, and never after close().
  virtual void connection_lost(const error& why) = 0;
  virtual void link_opened(link_id link, const std::string& address) { (void)link, (void)address; }
  // Refused or closed by the peer: errc::not_found, in_use (amqp:resource-locked), not_permitted, timed_out, ...
  virtual void link_lost(link_id link, const error& why) { (void)link, (void)why; }
  // A delivery; it stays unsettled until settle().
  virtual void received(link_id link, delivery_id delivery, message&& content) {
    (void)link, (void)delivery, (void)content;
  }
  // No credit is left: the queue was empty if fewer messages came than credit was given.
  virtual void drained(link_id link) { (void)link; }
  // The peer's outcome of a message that was sent. With durable messages `accepted` means: on stable storage.
  virtual void sent(send_id id, outcome how) { (void)id, (void)how; }
};

class connection {
 public:
  // Starts to connect at once. `events` must live as long as the connection.
  connection(event_loop& loop, const connection_options& options, connection_events& events);
  ~connection();  // closes, without waiting for the peer
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  // Links may be opened before connection_opened; on a lost connection they are not (0). A link that the peer does not
  // answer within connect_timeout_ms is lost.
  link_id open_receiver(const receiver_options& options);
  // `stream`: each message is settled when it is sent, and `sent` tells nothing of it.
  link_id open_sender(const std::string& address, bool stream = false);
  void close_link(link_id link);  // no event follows

  // Hands a message to a sender link; it waits for the link's credit. `sent` tells the outcome. The caller bounds how
  // many it has under way.
  send_id send(link_id sender, message content);
  void settle(delivery_id delivery, outcome how);
  void add_credit(link_id receiver, std::uint32_t count);
  // Asks for the messages that there is credit for and that are there now; then `drained`. One at a time. With kinds of
  // queue manager that cannot it must not be called (dialect.hpp).
  void drain(link_id receiver);

  // The idle timeout that the peer advertised when it opened: it drops this side some time after that much silence (how
  // much later differs between brokers, but not before). 0: none, or the connection is not open yet. Any thread.
  std::uint32_t peer_idle_timeout_ms() const;

  // Says goodbye to the peer; no event follows. What was settled before arrives, if the process lives long enough.
  void close();

 private:
  class driver;
  std::shared_ptr<driver> driver_;
};

}  // namespace baton::amqp
