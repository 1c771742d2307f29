// What an instance of a multi-instance queue manager says of itself, in a file of its own in the shared folder. JSON.
// docs/formats.md has an example; qmgr/instances/README.md says what is done with it.
#pragma once

#include <cstdint>
#include <string>

#include "common/result.hpp"

namespace baton::formats {

enum class qmgr_instance_state { standby, active, ended };
std::string to_string(qmgr_instance_state state);

struct qmgr_instance {
  std::string name, qmgr, host;
  std::int64_t pid = 0;
  std::string boot;                // the boot id of its host's kernel: who has the same one is on the same machine
  std::int64_t process_start = 0;  // clock ticks after that boot: the process id may have been used again
  qmgr_instance_state state = qmgr_instance_state::standby;
  std::string address;  // where it listens as the active one
  std::int64_t port = 0;
  std::int64_t since_ms = 0;   // wall clock of its host, UTC, when it came into this state; for people
  std::uint64_t epoch = 0;     // that it won last; 0: none
  std::uint64_t renewals = 0;  // how often it took this epoch again after its lease was over
  std::uint64_t beat = 0;      // grows while it lives
  bool permits_standby = true;
  bool end_all = false;  // with state ended: the queue manager was ended, not only this instance
  std::string version;   // of the program
};

std::string to_json(const qmgr_instance& instance);
result<qmgr_instance> read_qmgr_instance(const std::string& json);

}  // namespace baton::formats
