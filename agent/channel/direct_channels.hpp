// The direct channels of one activation of an agent: what it offers to sources, and how it gets to a destination. Loop
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "agent/channel/direct_channel.hpp"
#include "agent/channel/listener.hpp"
#include "agent/channel/retry_book.hpp"
#include "agent/settings.hpp"
#include "common/formats/transfer.hpp"
#include "common/loop.hpp"
#include "common/worker_pool.hpp"

namespace baton::channel {

class direct_channels {
 public:
  // `received` gets what comes on any of them.
  using receiver = std::function<void(kind what, held_bytes body)>;
  direct_channels(event_loop& loop, worker_pool& pool, const agent::settings& s, receiver received);
  ~direct_channels();

  // As a destination: what the source of a transfer is told. Its port is 0 when nobody can connect at the moment.
  // `then` gets the connection.
  formats::data_offer offer(listener::arrived then);
  void withdraw(const std::string& secret);

  // As a source. Whether a way to the agent `peer` that was offered can be taken, now or later.
  status usable(const formats::data_offer& offered) const;
  void connect(const std::string& peer, const formats::data_offer& offered,
               std::function<void(result<std::unique_ptr<direct_channel>>)> then);
  // The channel to it broke: it is left alone for a while.
  void broke(const std::string& peer) { book_.failed(peer, boot_time_ms()); }
  void deliver(kind what, held_bytes body) { received_(what, std::move(body)); }
  std::int64_t again_in_ms(const std::string& peer) const { return book_.again_in_ms(peer, boot_time_ms()); }

 private:
  void open();
  void listen(const std::string& address);

  event_loop& loop_;
  worker_pool& pool_;
  const agent::data_settings settings_;
  const receiver received_;
  const std::string machine_;        // this one
  std::shared_ptr<runtime> thread_;  // none: there are no direct channels
  std::unique_ptr<listener> listener_;
  retry_book book_;
  bool told_ = false;  // that the port cannot be opened
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace baton::channel
