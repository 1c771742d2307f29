#include "qmgr/store.hpp"

#include <fmt/format.h>

#include <cstring>
#include <optional>

#include "common/database.hpp"

namespace baton::qmgr {
namespace {

constexpr std::int64_t format_version = 1;

// Pages are large because a body of 256 KiB is a chain of them; freed ones are not overwritten, which Debian's SQLite
// does by default and which would write every body twice.
constexpr const char* set_up = R"(
  PRAGMA page_size = 16384;
  PRAGMA secure_delete = OFF;
  PRAGMA synchronous = FULL;
  PRAGMA journal_size_limit = 67108864;
  PRAGMA temp_store = MEMORY;
)";
constexpr const char* set_up_alone = "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 2048;";

// The body is the last column: reading the index then never touches the pages that only hold bodies.
constexpr const char* schema = R"(
  BEGIN;
  CREATE TABLE IF NOT EXISTS queues (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, type TEXT NOT NULL, messages_max INTEGER NOT NULL,
    bytes_max INTEGER NOT NULL, overflow TEXT NOT NULL, dead_letter_queue TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS messages (
    sequence INTEGER PRIMARY KEY, queue INTEGER NOT NULL, priority INTEGER NOT NULL, ttl_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL, arrived_ms INTEGER NOT NULL, body_offset INTEGER NOT NULL, size INTEGER NOT NULL,
    body BLOB NOT NULL);
  PRAGMA user_version = 1;
  COMMIT;
)";

error error_of(const std::filesystem::path& file, const database_error& failure) {
  const int code = failure.code & 0xff;
  const bool full = code == SQLITE_FULL;
  const bool damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
  return {full                  ? errc::no_space
          : code == SQLITE_BUSY ? errc::in_use
                                : errc::io,
          fmt::format("the store {}{}: {}", file.string(), damaged ? " is damaged" : "", failure.what())};
}

queue_attributes attributes_of(statement& row, int column) {
  queue_attributes read;
  read.type = queue_type_of(row.text(column)).value_or(queue_type::shared);
  read.messages_max = static_cast<std::uint64_t>(row.number(column + 1));
  read.bytes_max = static_cast<std::uint64_t>(row.number(column + 2));
  read.overflow = overflow_policy_of(row.text(column + 3)).value_or(overflow_policy::refuse);
  read.dead_letter_queue = row.text(column + 4);
  return read;
}

statement& bind_attributes(statement& sql, const queue_attributes& attributes) {
  return sql.bind(to_string(attributes.type))
      .bind(static_cast<std::int64_t>(attributes.messages_max))
      .bind(static_cast<std::int64_t>(attributes.bytes_max))
      .bind(to_string(attributes.overflow))
      .bind(attributes.dead_letter_queue);
}

// The connection has to be set up before a statement on its tables can be prepared.
database open_database(const std::string& path, bool shared) {
  database db(path);
  db.execute(set_up);
  db.execute(shared ? instances::ownership::set_up() : set_up_alone);
  const std::int64_t version = db.read_number("PRAGMA user_version");
  if (version > format_version) {
    throw database_error(SQLITE_NOTADB,
                         fmt::format("its format {} is newer than this program's {}", version, format_version));
  }
  if (version < format_version) db.execute(schema);
  return db;
}

}  // namespace

struct store::statements {
  statements(const std::string& path, bool shared) : db(open_database(path, shared)) {
    if (shared) owner.emplace(db);
  }
  database db;
  std::optional<instances::ownership> owner;
  statement begin{db, "BEGIN IMMEDIATE"};
  statement commit{db, "COMMIT"};
  statement add{db, "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"};
  statement move{db, "UPDATE messages SET queue = ?2, ttl_ms = 0, expires_ms = 0 WHERE sequence = ?1"};
  statement remove{db, "DELETE FROM messages WHERE sequence = ?"};
  statement body{db, "SELECT body FROM messages WHERE sequence = ?"};
};

store::store(std::filesystem::path file, bool shared)
    : file_(std::move(file)), sql_(std::make_unique<statements>(file_.string(), shared)) {}
store::~store() = default;

result<std::unique_ptr<store>> store::open(const std::filesystem::path& file, bool shared) {
  try {
    return std::unique_ptr<store>(new store(file, shared));
  } catch (const database_error& failure) {
    return error_of(file, failure);
  }
}

status store::load(
    const std::function<void(std::uint64_t id, const std::string& name, const queue_attributes&)>& on_queue,
    const std::function<void(const stored_message&)>& on_message) {
  try {
    statement queues(sql_->db,
                     "SELECT id, name, type, messages_max, bytes_max, overflow, dead_letter_queue FROM queues");
    while (queues.next()) {
      on_queue(static_cast<std::uint64_t>(queues.number(0)), queues.text(1), attributes_of(queues, 2));
    }
    statement messages(sql_->db,
                       "SELECT sequence, queue, priority, ttl_ms, expires_ms, arrived_ms, body_offset, size"
                       " FROM messages ORDER BY sequence");
    while (messages.next()) {
      stored_message read;
      read.sequence = static_cast<std::uint64_t>(messages.number(0));
      read.queue = static_cast<std::uint64_t>(messages.number(1));
      read.head.durable = true;
      read.head.priority = static_cast<std::uint8_t>(messages.number(2));
      read.head.ttl_ms = static_cast<std::uint32_t>(messages.number(3));
      read.expires_ms = messages.number(4);
      read.arrived_ms = messages.number(5);
      read.body_offset = static_cast<std::size_t>(messages.number(6));
      read.size = static_cast<std::size_t>(messages.number(7));
      on_message(read);
    }
    return done();
  } catch (const database_error& failure) {
    return error_of(file_, failure);
  }
}

status store::attempt(const std::function<void()>& work) {
  try {
    sql_->begin.run();
    if (sql_->owner) sql_->owner->check();
    work();
    sql_->commit.run();
    return done();
  } catch (const database_error& failure) {
    // Some failures have rolled back already; then this one fails, and that is fine.
    sqlite3_exec(sql_->db.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    return error_of(file_, failure);
  } catch (const instances::fenced& by) {
    sqlite3_exec(sql_->db.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    fenced_ = by.what();
    return error{errc::not_permitted, fenced_};
  }
}

status store::with_owner(const std::function<void(instances::ownership&)>& work) {
  try {
    work(*sql_->owner);
    return done();
  } catch (const database_error& failure) {
    return error_of(file_, failure);
  }
}

status store::commit(const store_changes& changes) {
  return attempt([&] {
    for (const stored_message& one : changes.added) {
      sql_->add.bind(static_cast<std::int64_t>(one.sequence))
          .bind(static_cast<std::int64_t>(one.queue))
          .bind(one.head.priority)
          .bind(one.head.ttl_ms)
          .bind(one.expires_ms)
          .bind(one.arrived_ms)
          .bind(static_cast<std::int64_t>(one.body_offset))
          .bind(static_cast<std::int64_t>(one.size))
          .bind_bytes(one.body->view())
          .run();
    }
    for (const message_moved& one : changes.moved) {
      sql_->move.bind(static_cast<std::int64_t>(one.sequence)).bind(static_cast<std::int64_t>(one.queue)).run();
    }
    for (const std::uint64_t one : changes.removed) sql_->remove.bind(static_cast<std::int64_t>(one)).run();
  });
}

result<std::uint64_t> store::add_queue(const std::string& name, const queue_attributes& attributes) {
  std::uint64_t id = 0;
  const status added = attempt([&] {
    statement insert(sql_->db,
                     "INSERT INTO queues (name, type, messages_max, bytes_max, overflow, dead_letter_queue)"
                     " VALUES (?, ?, ?, ?, ?, ?)");
    bind_attributes(insert.bind(name), attributes).run();
    id = static_cast<std::uint64_t>(sqlite3_last_insert_rowid(sql_->db.handle()));
  });
  if (!added) return added.error();
  return id;
}

status store::change_queue(std::uint64_t id, const queue_attributes& attributes) {
  return attempt([&] {
    statement update(sql_->db,
                     "UPDATE queues SET type = ?, messages_max = ?, bytes_max = ?, overflow = ?,"
                     " dead_letter_queue = ? WHERE id = ?");
    bind_attributes(update, attributes).bind(static_cast<std::int64_t>(id)).run();
  });
}

status store::delete_queue(std::uint64_t id) {
  return attempt([&] {
    statement(sql_->db, "DELETE FROM messages WHERE queue = ?").bind(static_cast<std::int64_t>(id)).run();
    statement(sql_->db, "DELETE FROM queues WHERE id = ?").bind(static_cast<std::int64_t>(id)).run();
  });
}

result<payload_ptr> store::read_body(std::uint64_t sequence) {
  try {
    if (!sql_->body.bind(static_cast<std::int64_t>(sequence)).next()) {
      return error{errc::not_found, fmt::format("the store {} has no message {}", file_.string(), sequence)};
    }
    const std::string_view bytes = sql_->body.bytes(0);
    auto read = std::make_shared<payload>(bytes.size());
    std::memcpy(read->data(), bytes.data(), bytes.size());
    sql_->body.reset();
    return payload_ptr(std::move(read));
  } catch (const database_error& failure) {
    return error_of(file_, failure);
  }
}

void store::checkpoint() {
  sqlite3_wal_checkpoint_v2(sql_->db.handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
}

std::uint64_t store::bytes() const {
  std::uint64_t sum = 0;
  for (const char* suffix : {"", "-wal", "-journal"}) {
    std::error_code missing;
    const auto size = std::filesystem::file_size(file_.string() + suffix, missing);
    if (!missing) sum += size;
  }
  return sum;
}

}  // namespace baton::qmgr
