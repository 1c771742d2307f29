// The instances of an embedded queue manager, as its configuration on this host and the shared folder show them.
#pragma once

#include <optional>
#include <string>

#include "commands/table.hpp"
#include "common/amqp/connection.hpp"
#include "common/result.hpp"
#include "properties/instance_folder.hpp"
#include "properties/layout.hpp"
#include "properties/property_set.hpp"

namespace baton::commands {

struct qmgr_instances {
  std::string own;  // name of the instance of this host
  instance_folder folder;
  instances_seen seen;

  const instance_seen* local() const;  // of this host; null: it never ran
  const instance_seen* active() const { return active_of(seen); }
  // The state of this host's instance when the process that holds its pid file wrote it.
  std::optional<formats::qmgr_instance_state> state_of(pid_t process) const;
  std::size_t standbys() const;
};

// Of the configuration on this host; without dataPath there are none.
result<std::optional<qmgr_instances>> instances_of_qmgr(const layout& where, const std::string& name);

// "beta (process 7 on host2, 10.0.0.2 port 5672)"
std::string in_words(const instance_seen* instance);

// Where the active instance listens, with the certificates of this host's queue manager; without instances, where the
// one of this host does. errc::unreachable: none is active, or it does not run.
result<amqp::endpoint> qmgr_address(const layout& where, const std::string& name,
                                    const std::optional<qmgr_instances>& instances);

}  // namespace baton::commands
