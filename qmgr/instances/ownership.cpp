#include "qmgr/instances/ownership.hpp"

#include <fmt/format.h>

namespace baton::instances {
namespace {

constexpr int claim_wait_ms = 500;    // a commit of a holder that lives is over sooner
constexpr int commit_wait_ms = 5000;  // for somebody who copies the store; less than the shortest lease

constexpr const char* table = R"(
  BEGIN IMMEDIATE;
  CREATE TABLE IF NOT EXISTS ownership (
    id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL, renewals INTEGER NOT NULL, instance TEXT NOT NULL);
  INSERT OR IGNORE INTO ownership VALUES (1, 0, 0, '');
  COMMIT;
)";

}  // namespace

// The journal is a file beside the store and not WAL, whose index is memory that hosts cannot share. The lock ends with
// each transaction, so that the next one begins by looking whether the file has changed: with an exclusive lock SQLite
// would answer the question for the epoch out of its cache.
const char* ownership::set_up() {
  return R"(
    PRAGMA locking_mode = NORMAL;
    PRAGMA journal_mode = PERSIST;
    PRAGMA mmap_size = 0;
  )";
}

ownership::ownership(database& db) : db_(db) {
  sqlite3_busy_timeout(db_.handle(), claim_wait_ms);
  if (db_.read_number("SELECT count(*) FROM sqlite_schema WHERE name = 'ownership'") == 0) db_.execute(table);
}

owner ownership::read() {
  statement row(db_, "SELECT epoch, renewals, instance FROM ownership");
  if (!row.next()) return {};
  return {static_cast<std::uint64_t>(row.number(0)), static_cast<std::uint64_t>(row.number(1)), row.text(2)};
}

bool ownership::claim(const owner& expected, const std::string& instance) {
  statement(db_, "UPDATE ownership SET epoch = ?1 + 1, renewals = 0, instance = ?3 WHERE epoch = ?1 AND renewals = ?2")
      .bind(static_cast<std::int64_t>(expected.epoch))
      .bind(static_cast<std::int64_t>(expected.renewals))
      .bind(instance)
      .run();
  if (sqlite3_changes(db_.handle()) != 1) return false;
  epoch_ = expected.epoch + 1;
  sqlite3_busy_timeout(db_.handle(), commit_wait_ms);
  return true;
}

bool ownership::reclaim() {
  statement(db_, "UPDATE ownership SET renewals = renewals + 1 WHERE epoch = ?")
      .bind(static_cast<std::int64_t>(epoch_))
      .run();
  return sqlite3_changes(db_.handle()) == 1;
}

void ownership::check() {
  const owner now = read();
  if (now.epoch == epoch_) return;
  throw fenced(fmt::format("the store is at epoch {} of instance {}, this process has epoch {}", now.epoch,
                           now.instance, epoch_));
}

}  // namespace baton::instances
