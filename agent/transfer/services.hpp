// What a transfer needs from its agent. The agent implements it; tests put a fake behind it. Loop thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>

#include "agent/settings.hpp"
#include "agent/transfer/frame_limits.hpp"
#include "common/amqp/connection.hpp"
#include "common/amqp/dialect.hpp"
#include "common/amqp/message.hpp"
#include "common/formats/publications.hpp"
#include "common/formats/state.hpp"
#include "common/loop.hpp"
#include "common/worker_pool.hpp"

namespace baton::transfer {

// Where an activation goes on to number what it writes (records, events): above all that those before it can have
// written, whether it was seen or not. The same number again would be taken for a repetition.
inline std::uint64_t next_sequence(std::uint64_t last_seen, std::uint64_t epoch) {
  constexpr std::uint64_t step = 1'000'000, per_epoch = 1'000'000'000;
  return std::max(last_seen + step, epoch * per_epoch);
}

class services {
 public:
  virtual ~services() = default;
  virtual event_loop& loop() = 0;
  virtual worker_pool& pool() = 0;
  virtual const agent::settings& settings() const = 0;
  virtual std::uint64_t epoch() const = 0;     // of this agent's lock
  virtual const std::string& run() const = 0;  // random id of this process start
  virtual bool lease_holds() const = 0;        // any thread: an irreversible act may be done now
  // Boot clock: before that nothing is done that receivers cannot fence, like deleting sources.
  virtual std::int64_t unfenced_from_ms() const = 0;
  virtual void outbid(std::uint64_t epoch) = 0;  // a peer has seen this higher epoch of this agent

  // Control messages (requests, answers, acknowledgements) and data travel on connections of their own. What cannot be
  // sent because the connection is down is dropped: every loss is repaired by asking again.
  virtual void send(const std::string& address, amqp::message content) = 0;
  virtual void send_data(const std::string& address, amqp::message content) = 0;

  // `told` is called once: when the coordination queue manager has the event on stable storage, or when it is not known
  // to come there soon. It may be called at once; never when the activation ends before.
  virtual void publish(const formats::log_event& event, std::function<void()> told) = 0;
  virtual void publish(const formats::transfer_status& status) = 0;

  // What is durable of a transfer: a record is replaced by a newer one, and all is removed when the transfer has ended.
  // `stored` hears whether it is on stable storage at the queue manager; nothing when the activation ends before.
  using stored = std::function<void(bool kept)>;
  virtual void save(const formats::source_record& record, stored done) = 0;
  virtual void save(const formats::plan_part& part, stored done) = 0;
  virtual void save(const formats::destination_record& record) = 0;
  virtual void forget_source(const std::string& transfer_id) = 0;
  virtual void forget_destination(const std::string& transfer_id) = 0;

  virtual amqp::connection_options qmgr() const = 0;  // how this activation reaches its queue manager
  virtual void status_changed() = 0;  // the agent's published status names the transfers and their states
};

// How this agent would have the frames of a transfer. Where nobody chose the size of a chunk, that depends on what
// carries them: its queue manager, or a direct channel.
inline frame_limits limits_wanted(const services& agent, bool direct) {
  const auto& s = agent.settings();
  const bool chosen = direct || s.chunk_bytes_chosen;
  return {chosen ? s.chunk_bytes : amqp::dialect_of(agent.qmgr().peer.kind).chunk_bytes(), s.window_frames};
}

}  // namespace baton::transfer
