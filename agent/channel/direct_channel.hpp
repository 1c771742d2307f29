// A direct connection between the two agents of a transfer, as its user sees it: messages both ways, until it breaks.
// What is sent and did not arrive when it breaks is lost. Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/channel/wire.hpp"
#include "common/held_bytes.hpp"
#include "common/loop.hpp"

namespace baton::channel {

class runtime;
class session;

class direct_channel {
 public:
  struct handlers {
    std::function<void(kind what, held_bytes body)> received;
    std::function<void(const std::string& why)> closed;  // once, last
  };
  direct_channel(event_loop& loop, std::shared_ptr<runtime> thread, std::shared_ptr<session> one);
  // Closes it; the handlers hear nothing any more.
  ~direct_channel();

  // Nothing is received before.
  void begin(handlers to);
  void send(kind what, held_bytes body);
  const std::string& peer() const;  // address and port

 private:
  const std::shared_ptr<runtime> thread_;  // whoever has a channel last ends the thread
  const std::shared_ptr<session> session_;
  struct receiver;
  const std::shared_ptr<receiver> receiver_;
};

}  // namespace baton::channel
