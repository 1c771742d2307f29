// What the coordination service keeps: the newest status of each agent, and the history of transfers with their items,
// in SQLite. Changes are made between begin() and commit(). Throws database_error; the service turns that into values.
// One thread.
#pragma once

#include <cstdint>
#include <string>

#include "common/database.hpp"
#include "common/formats/publications.hpp"

namespace baton::coordination {

class history {
 public:
  // Opens or makes the database; ":memory:" for tests. `shared`: on a file system that several hosts use, so without
  // WAL, whose index is memory that they cannot share.
  explicit history(const std::string& path, bool shared = false);

  void begin();
  void commit();
  void roll_back();

  // now_ms: wall clock of this service; ages are counted by it, whatever the agents' clocks say.
  void apply(const formats::agent_status& status, std::int64_t now_ms);
  void remove_agent(const std::string& agent);
  void apply(const formats::log_event& event);         // a repeated one changes nothing
  void apply(const formats::takeover& event);          // the same
  void apply(const formats::transfer_status& status);  // ignored for a transfer that has ended

  formats::answer find(const formats::query& question, std::int64_t now_ms);

  // Forgets transfers that nothing was heard of since this time, with their items; some per call, true while there are
  // more. Also one that never ended: its agent may be gone for good.
  bool prune(std::int64_t before_ms);

 private:
  std::uint64_t add_items(const formats::log_event& event);
  formats::answer find_agents(const formats::query& question, std::int64_t now_ms);
  formats::answer find_takeovers(const formats::query& question);
  formats::answer find_transfers(const formats::query& question);
  formats::answer find_transfer(const formats::query& question);
  formats::answer find_items(const formats::query& question);

  database db_;
};

}  // namespace baton::coordination
