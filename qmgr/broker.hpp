// The broker core: connections, links and queues; events in, actions out. It knows neither Proton nor SQLite nor the
// clock. Loop thread only.
//
// It works in turns. handle() takes every event that is pending; take_changes() is committed to the store; committed()
// or refused() says how that went; dispatch() hands messages to consumers and credit to producers; take_actions()
// leaves for the AMQP side. Because messages are handed out only after the commit, what a turn took in can still be
// refused.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "qmgr/actions.hpp"
#include "qmgr/credit.hpp"
#include "qmgr/queue.hpp"
#include "qmgr/queue_attributes.hpp"

namespace baton::qmgr {

inline constexpr std::string_view management_address = "$management";

struct broker_options {
  std::uint64_t memory_bytes_max = 64u << 20;   // for messages that are not in the store
  std::uint64_t cache_bytes_max = 16u << 20;    // for bodies of stored messages
  std::uint64_t unsent_bytes_max = 1u << 20;    // handed to the AMQP side for one consumer; or one message
  std::function<std::string()> temporary_name;  // a fresh name for a dynamic source
};

struct queue_counters {
  std::uint64_t enqueued = 0, dequeued = 0, expired = 0, dropped = 0;
};

// A queue and who is attached to it.
struct queue_state {
  std::uint64_t id = 0;  // of its definition in the store; 0: temporary
  std::string name;
  queue_attributes attributes;
  connection_id owner = 0;  // temporary: only this connection consumes, and it ends with it
  message_queue messages;
  queue_counters counters;
  std::vector<link_id> consumers;  // in order of attach
  std::vector<link_id> browsers;
  std::set<link_id> producers;
  link_id active = 0;    // single-active: who is served
  std::size_t turn = 0;  // shared: who is served next
  bool durable() const { return id != 0; }
};

class broker {
 public:
  explicit broker(broker_options options);

  // Before the first turn: what the store held.
  void restore_queue(std::uint64_t id, const std::string& name, const queue_attributes& attributes);
  void restore_message(const stored_message& message);
  void restored();

  void handle(event happened, std::int64_t now_ms);
  store_changes take_changes();
  void committed();
  void refused(store_changes failed, const fault& why);
  void dispatch(std::int64_t now_ms);
  action_lists take_actions();
  bool has_changes() const { return !changes_.empty(); }
  // Requests that arrived at $management in this turn.
  std::vector<message_arrived> take_requests();

  // Management; the caller keeps the store's definitions in step.
  queue_state* find(const std::string& name);
  const std::map<std::string, std::unique_ptr<queue_state>>& queues() const { return queues_; }
  queue_state& define_queue(std::uint64_t id, const std::string& name, const queue_attributes& attributes);
  void change_queue(queue_state& queue, const queue_attributes& attributes);
  void delete_queue(const std::string& name);  // its links are closed with amqp:resource-deleted
  std::size_t purge(queue_state& queue);       // only those that wait; how many
  // Puts a message of the queue manager itself into a queue, if there is such a queue.
  void publish(const std::string& queue, message_arrived message, std::int64_t now_ms);
  // The store could not read this message: its consumer loses the link, the message stays.
  void body_unreadable(link_id link, std::uint64_t sequence);
  void close_all(const fault& why);

  // Behind dispatch(): messages wait that may expire.
  bool watches_expiry();
  void expire_all(std::int64_t now_ms);
  std::size_t connection_count() const { return connections_.size(); }
  std::uint64_t memory_bytes() const { return ledger_.resident() + cached_; }
  std::string container_of(link_id link) const;

 private:
  struct connection_state {
    std::string container_id;
    std::set<link_id> links;
    std::set<std::string> temporary_queues;
  };
  struct consumer {
    connection_id connection = 0;
    queue_state* queue = nullptr;
    bool browse = false, presettled = false, drain = false;
    int priority = 0;
    std::uint64_t epoch = 0;
    bool exclusive = false;
    std::uint64_t limit = 0, used = 0;  // credit, counted from the attach
    delivery_number last = 0;           // of its deliveries
    position cursor;                    // browse: the last one shown
    bool cursor_set = false;
    std::map<delivery_number, position> unsettled;
    std::map<delivery_number, std::size_t> unsent;  // not yet on their way; bytes
    std::uint64_t unsent_bytes = 0;
  };
  struct producer {
    connection_id connection = 0;
    queue_state* queue = nullptr;  // none: $management
    producer_credit credit;
  };
  struct uncommitted {
    link_id link = 0;
    delivery_number delivery = 0;
    bool presettled = false;
    std::string queue;
    position at;
  };

  // broker.cpp: connections and links
  void on(connection_opened& happened, std::int64_t now_ms);
  void on(connection_gone& happened, std::int64_t now_ms);
  void on(consumer_attached& happened, std::int64_t now_ms);
  void on(producer_attached& happened, std::int64_t now_ms);
  void on(link_gone& happened, std::int64_t now_ms);
  void refuse_link(connection_id connection, link_id link, std::string condition, std::string text);
  queue_state& define_temporary(connection_id connection);
  void remove_consumer(link_id link);
  bool is_held(const queue_state& queue, bool wants_exclusive) const;
  bool take_over(queue_state& queue, std::uint64_t epoch);
  void remove_producer(link_id link);
  void remove_link(link_id link);
  void close_links_of(queue_state& queue);
  void elect(queue_state& queue);
  void act(connection_id connection, action what) { actions_[connection].push_back(std::move(what)); }

  // broker_messages.cpp: what arrives, what is settled, what is over
  void on(message_arrived& happened, std::int64_t now_ms);
  void on(delivery_settled& happened, std::int64_t now_ms);
  bool make_room(queue_state& queue, std::size_t size);
  bool enqueue(queue_state& queue, message_arrived& message, std::int64_t now_ms, position& at);
  void settle(const uncommitted& arrival, outcome how, fault why);
  void remove_message(queue_state& queue, position at);
  void give_up_message(queue_state& queue, position at);  // to the dead-letter queue, or away
  void set_aside(queue_state& queue, position at, link_id from);
  void charge(entry& message);
  void discharge(const entry& message);

  // broker_dispatch.cpp: what leaves
  void on(credit_given& happened, std::int64_t now_ms);
  void on(deliveries_sent& happened, std::int64_t now_ms);
  void dispatch_queue(queue_state& queue, std::int64_t now_ms);
  void expire(queue_state& queue, std::int64_t now_ms);
  consumer* choose(queue_state& queue, const std::vector<link_id>& excluded, link_id& chosen);
  bool can_take(const consumer& who) const;
  void hand_over(queue_state& queue, position at, link_id link, consumer& who, std::int64_t now_ms);
  deliver delivery_of(link_id link, consumer& who, position at, const entry& message, std::int64_t now_ms);
  void show(queue_state& queue, link_id link, consumer& who, std::int64_t now_ms);
  void drain(const queue_state& queue, link_id link, consumer& who);
  void replenish();

  broker_options options_;
  std::map<std::string, std::unique_ptr<queue_state>> queues_;
  std::unordered_map<connection_id, connection_state> connections_;
  std::unordered_map<link_id, consumer> consumers_;
  std::unordered_map<link_id, producer> producers_;

  std::unordered_map<std::uint64_t, queue_state*> restored_;  // by id, until the first turn
  std::uint64_t last_sequence_ = 0;
  memory_ledger ledger_;
  std::uint64_t cached_ = 0;        // bytes of bodies kept although they are in the store
  std::set<std::string> expiring_;  // queues where messages wait that may expire, or did so a moment ago

  // Of this turn.
  store_changes changes_;
  std::vector<uncommitted> uncommitted_;
  std::vector<message_arrived> requests_;
  action_lists actions_;
  std::set<std::string> stirred_;  // queues where something may be handed out
  std::set<link_id> credit_due_;   // producers whose credit is to be looked at, the starved ones among them
};

}  // namespace baton::qmgr
