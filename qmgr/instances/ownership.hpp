// Who may write a store that several instances share: one row with the epoch, which every commit looks at inside its
// own transaction. Errors are database_error; SQLITE_BUSY means that another process has a transaction open. Loop
// thread only.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "common/database.hpp"

namespace baton::instances {

// This process may not write the store any more: the row has another epoch.
class fenced : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct owner {
  std::uint64_t epoch = 0;     // 0: nobody had the store yet
  std::uint64_t renewals = 0;  // how often that epoch was taken again after its lease was over
  std::string instance;
};

class ownership {
 public:
  // Pragmas that a shared store needs: no shared memory, and nothing that outlives a transaction in a cache or a lock.
  static const char* set_up();
  // Makes the table when it is missing.
  explicit ownership(database& db);

  owner read();
  // In a transaction of its own: raises the epoch by one if the row still says `expected`. False: it says something
  // else. From then on check() expects the new epoch.
  bool claim(const owner& expected, const std::string& instance);
  // The same epoch once more, with one more renewal; false when it is not ours any more.
  bool reclaim();
  // Inside a transaction that writes: throws fenced unless the store is ours.
  void check();

  std::uint64_t epoch() const { return epoch_; }  // ours; 0: none

 private:
  database& db_;
  std::uint64_t epoch_ = 0;
};

}  // namespace baton::instances
