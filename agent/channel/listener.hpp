// Where an agent that receives is connected to. A connection is for one transfer: it has to show the secret that the
// source of that transfer was told over the queue manager, and each secret counts once. Strangers get nothing but a
// closed connection. Loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "agent/channel/direct_channel.hpp"
#include "common/loop.hpp"

namespace baton::channel {

class listener {
 public:
  using arrived = std::function<void(std::unique_ptr<direct_channel>)>;
  // `address`: numeric; empty: all of this host. `port`: 0 for any that is free. errc::in_use, unreachable.
  static result<std::unique_ptr<listener>> open(event_loop& loop, const std::shared_ptr<runtime>& thread,
                                                const std::string& address, std::uint16_t port);
  ~listener();

  std::uint16_t port() const { return port_; }
  // A new secret; `then` gets the connection that shows it.
  std::string expect(arrived then);
  void forget(const std::string& secret);

 private:
  class door;  // lives on the channel thread
  listener(event_loop& loop, std::shared_ptr<runtime> thread);
  void greeted(const std::shared_ptr<session>& one, const result<std::string>& secret);
  void refuse(const std::shared_ptr<session>& one, const std::string& why);
  void tell();

  event_loop& loop_;
  const std::shared_ptr<runtime> thread_;
  std::shared_ptr<door> door_;
  std::uint16_t port_ = 0;
  std::map<std::string, arrived> expected_;  // by secret
  event_loop::timer_id quiet_ = 0;           // until it fires, refusals are only counted
  std::uint64_t untold_ = 0;
  std::pair<std::string, std::string> refused_;  // the last one: its address, and why
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace baton::channel
