// From properties to the address of a queue manager.
//   client mode:   <prefix>QMgrHost is set; the queue manager listens on that host and <prefix>QMgrPort.
//                  Or <prefix>QMgrUrls is set: a list of those, tried in order.
//   bindings mode: no host; it is the embedded queue manager of this host, which says where it listens in
//                  qmgrs/<NAME>/qmgr.address while it runs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/amqp/connection.hpp"
#include "common/result.hpp"
#include "properties/layout.hpp"
#include "properties/property_set.hpp"

namespace baton {

struct qmgr_connection {
  std::string qmgr;
  bool bindings = false;
  amqp::endpoint peer;               // the first
  std::vector<amqp::endpoint> more;  // of a list, behind it
  bool randomize = false;
  std::int64_t connect_timeout_ms = 10000;  // of each attempt

  std::vector<amqp::endpoint> all() const;
};

// errc::unreachable: the queue manager does not run on this host; not_permitted: the credentials file may not be used;
// bad_property: the combination of properties makes no sense. Reads files, so not on an event loop that may not wait;
// in bindings mode call it again for each attempt, because the port may change when the queue manager is restarted.
result<qmgr_connection> agent_qmgr_connection(const property_set& agent, const layout& where);
result<qmgr_connection> coordination_qmgr_connection(const property_set& coordination, const layout& where);
result<qmgr_connection> command_qmgr_connection(const property_set& command, const layout& where);

// The embedded queue manager of this host, by name.
result<qmgr_connection> local_qmgr_connection(std::string_view qmgr, const layout& where);

}  // namespace baton
