// What differs between queue managers: how a queue is declared and removed, and what has to be said otherwise on the
// wire. Nothing outside a dialect knows which kind of queue manager it talks to; whoever must behave otherwise asks it
// what the kind can do.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/amqp/connection.hpp"
#include "common/formats/queues.hpp"
#include "common/result.hpp"

namespace baton::amqp {

// What an administrator's script needs to know.
struct script_target {
  std::string qmgr;
  std::string host_options;    // of fteDefineQueue and its kin: " -host h -port n", or empty
  std::string management_url;  // see endpoint
  bool quorum_queues = false;  // see endpoint
};

class dialect {
 public:
  virtual ~dialect() = default;

  // --- Queues. These block, each with a deadline, and use a connection of their own: commands call them directly,
  // daemons on a worker thread. Errors: errc::unreachable, timed_out, not_permitted, and what is said here.

  // Makes the queues that do not exist; those that exist with other attributes are an error, errc::conflict. They are
  // there, with what is on them, also when the queue manager is killed afterwards: to know that can take 2.5 s more.
  virtual status declare(const connection_options& where, const std::vector<formats::queue_declaration>& queues,
                         std::int64_t timeout_ms) const = 0;
  // Removes the queues with what is in them; those that do not exist are passed over.
  virtual status remove(const connection_options& where, const std::vector<std::string>& queues,
                        std::int64_t timeout_ms) const = 0;
  // Throws away what is in one queue; errc::not_found when it does not exist.
  virtual status purge(const connection_options& where, const std::string& queue, std::int64_t timeout_ms) const = 0;
  virtual result<bool> exists(const connection_options& where, const std::string& queue,
                              std::int64_t timeout_ms) const = 0;
  // A queue for the answers of one conversation, for kinds without dynamic queues: its name. It goes with its consumer,
  // and when nobody consumes. errc::internal where dynamic queues are the way.
  virtual result<std::string> make_reply_queue(const connection_options& where, std::int64_t timeout_ms) const = 0;
  // Shell commands that do what declare and remove do, without the first line.
  virtual std::string declare_script(const script_target& target,
                                     const std::vector<formats::queue_declaration>& queues) const = 0;
  virtual std::string remove_script(const script_target& target,
                                    const std::vector<formats::queue_declaration>& queues) const = 0;

  // --- What the kind can do. Constant; any thread.

  // The attach of a second consumer is refused (errc::in_use). Otherwise it is parked and nobody tells it: then only a
  // delivery proves that one is the active consumer.
  virtual bool refuses_second_consumer(formats::queue_kind kind) const = 0;
  // Of the consumers that wait for a single-active queue the one with the highest priority is next.
  virtual bool has_consumer_priority() const { return true; }
  // A receiver may ask to be the only one of a queue that others may share; otherwise nobody hears that it asked.
  virtual bool has_exclusive_receivers() const { return false; }
  // A sender of a queue that does not exist is refused. Otherwise messages are accepted and lost: then the adapter asks
  // exists() before it attaches one, so that to its users it is errc::not_found all the same.
  virtual bool refuses_missing_queues() const = 0;
  virtual bool has_dynamic_queues() const = 0;
  virtual bool can_browse() const = 0;
  // A receiver that asks for it gives back credit that no message is there for, and so knows that the queue is empty.
  virtual bool can_drain() const { return true; }
  // What was settled just before the connection closes counts. Otherwise sessions have to end first.
  virtual bool settles_before_close() const = 0;
  // A message that was settled can come again until so many milliseconds after a durable one that was sent behind the
  // settlement was accepted, when the queue manager is killed meanwhile. 0: the one is not stored without the other.
  virtual std::int64_t settlement_lag_ms() const { return 0; }

  // The earliest time, in milliseconds, after which a silent client is dropped, from the idle timeout that the queue
  // manager advertised. 0 when that is 0: it never drops one.
  virtual std::int64_t drops_after_ms(std::uint32_t advertised_ms) const = 0;

  // The size of a message of file data that suits it, in bytes: agentChunkSize where that is not set.
  virtual std::uint32_t chunk_bytes() const { return 262144; }

  // --- On the wire; for the adapter. Pure; any thread.

  virtual std::string address_of(const std::string& queue) const = 0;
  virtual std::string queue_of(const std::string& address) const = 0;
  virtual std::uint8_t priority_to_wire(std::uint8_t priority) const = 0;
  virtual std::uint8_t priority_from_wire(std::uint8_t priority) const = 0;
  virtual outcome outcome_to_wire(outcome how) const = 0;
  // What a refusal means whose condition alone does not say so, as far as this kind is known for it.
  virtual std::optional<errc> meaning_of(std::string_view condition, std::string_view description) const {
    (void)condition, (void)description;
    return std::nullopt;
  }
};

const dialect& dialect_of(broker_kind kind);
const dialect& embedded_dialect();
const dialect& rabbitmq_dialect();
const dialect& artemis_dialect();
const dialect& qpid_dialect();

// The words of the properties that choose a kind, as a choice.
inline constexpr const char* broker_kind_words = "embedded|rabbitmq|artemis|qpid";
std::optional<broker_kind> broker_kind_of(std::string_view word);
// And those that choose how RabbitMQ keeps the queues that are made there.
inline constexpr const char* queue_type_words = "classic|quorum";
// Where the kind's management over HTTP listens unless told otherwise; empty: it has none.
std::string default_management_url(const endpoint& peer);

}  // namespace baton::amqp
