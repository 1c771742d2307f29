// The STATE queue as the store of running transfers: the newest record of each, and the plans of those that this agent
// sends. What is sent comes back as a delivery, and is held unsettled for as long as it is the newest; so a crash
// leaves it on the queue, and the next activation is given it. Of two records for one transfer the higher sequence
// stays and the other is settled, in whatever order they come. What cannot be read is put into a file and logged, and
// never stops the agent. Lives as long as the activation. Loop thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/amqp/connection.hpp"
#include "common/formats/state.hpp"
#include "common/loop.hpp"

namespace baton::agent {

class state_store {
 public:
  // The first three are the queue; the others hear what an earlier activation left.
  struct handlers {
    std::function<void(amqp::message content, std::function<void(amqp::outcome)> settled)> send;
    std::function<void(amqp::delivery_id delivery, amqp::outcome how)> settle;
    std::function<void()> add_credit;  // room for one more delivery
    // A record, and again when a newer one of the same transfer comes.
    std::function<void(const formats::source_record&)> source;
    std::function<void(const formats::destination_record&)> destination;
    std::function<void(const formats::plan_part&, std::function<void()> kept)> part;
    std::function<void()> all_read;  // what was on the queue at mark() has been given, unless the broker reorders
  };
  // Some brokers close a session whose delivery stays unsettled for 30 minutes: what is held is given back and taken
  // again after `refresh_ms`.
  state_store(event_loop& loop, std::string agent, std::string quarantine_directory, handlers to,
              std::int64_t refresh_ms = 600000);
  ~state_store();

  // `done` hears whether it is on stable storage at the queue manager; nothing when the activation ends before.
  using stored = std::function<void(bool kept)>;
  void save(const formats::source_record& record, stored done = nullptr);
  void save(const formats::destination_record& record);
  void save(const formats::plan_part& part, stored done);
  void forget_source(const std::string& transfer_id);
  void forget_destination(const std::string& transfer_id);
  // What is on the queue and held here of some transfers, by their ids in each role, to settle exactly that later;
  // complete when nothing is on its way.
  using of_transfers = std::function<bool(const std::string& id)>;
  std::vector<amqp::delivery_id> held(const of_transfers& sent, const of_transfers& received) const;
  bool on_their_way() const;
  void settle(const std::vector<amqp::delivery_id>& some);
  // Calls `then`, once, when all that was forgotten has left the queue; at once when it has.
  void when_quiet(std::function<void()> then);
  // Sends a message that comes back behind all that is on the queue now.
  void mark();

  void received(amqp::delivery_id delivery, const amqp::message& content);

 private:
  // One record: the newest of a transfer in one role.
  struct entry {
    std::optional<std::uint64_t> sequence;  // the highest one seen come back
    amqp::delivery_id delivery = 0;         // 0: none is held
    std::int64_t held_since_ms = 0;
    std::uint64_t first_own = UINT64_MAX, last_own = 0;  // sequences that this activation has written
    int on_their_way = 0;                                // messages that will still be delivered
    bool ended = false;
  };
  struct part {
    amqp::delivery_id delivery = 0;
    std::int64_t held_since_ms = 0;
    bool known = false;  // sent by this activation, or kept by it
  };
  using part_key = std::pair<std::uint64_t, std::uint32_t>;  // of which plan, number
  struct plan {
    std::map<part_key, part> parts;
    std::optional<std::uint64_t> check;  // of the plan that counts, as the newest record says
    bool ended = false;
  };

  void save(entry& known, const std::string& id, std::uint64_t sequence, amqp::message content, stored done);
  bool take(std::map<std::string, entry>& entries, const std::string& id, std::uint64_t sequence,
            amqp::delivery_id delivery);
  void forget(std::map<std::string, entry>& entries, const std::string& id);
  void drop_when_gone(std::map<std::string, entry>& entries, const std::string& id);
  void forget_plan(const std::string& transfer_id);
  void receive(amqp::delivery_id delivery, const amqp::message& content);
  void received_part(amqp::delivery_id delivery, const formats::plan_part& content);
  bool quiet() const;
  void look_quiet();
  void plan_is(const std::string& id, const formats::source_record& record);
  void quarantine(amqp::delivery_id delivery, const amqp::message& content, const std::string& why);
  void accept(amqp::delivery_id& delivery);
  void refresh();

  event_loop& loop_;
  const std::string agent_, quarantine_directory_;
  const handlers to_;
  const std::int64_t refresh_ms_;
  std::map<std::string, entry> sources_, destinations_;
  std::map<std::string, plan> plans_;
  std::vector<amqp::delivery_id> unkept_;  // unreadable, and there was no room for them elsewhere
  std::string mark_;
  std::function<void()> when_quiet_;
  event_loop::timer_id refresh_timer_ = 0;
};

}  // namespace baton::agent
