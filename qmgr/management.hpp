// What $management does: declares, deletes, purges and lists queues, and asks for the end. docs of the requests:
// README.md of this folder. A definition is in the store before it is in the broker. Loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "qmgr/broker.hpp"
#include "qmgr/management_message.hpp"
#include "qmgr/store.hpp"

namespace baton::qmgr {

// What a list reply says about the queue manager itself.
struct manager_facts {
  std::string name;
  std::uint16_t port = 0;
  std::int64_t started_ms = 0;  // boot clock
};

class management {
 public:
  management(broker& core, store& disk, manager_facts& facts, std::function<void(bool immediate)> stop);

  // Nothing that a peer sends makes this throw.
  management_reply answer(const management_request& request, std::int64_t now_ms);

 private:
  management_reply declare(const management_request& request);
  management_reply remove(const management_request& request);
  management_reply purge(const management_request& request);
  management_reply list(std::int64_t now_ms);
  management_reply get(const management_request& request, std::int64_t now_ms);
  management_reply stop(const management_request& request);

  broker& core_;
  store& disk_;
  manager_facts& facts_;
  std::function<void(bool)> stop_;
};

}  // namespace baton::qmgr
