#include "coordination/history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/text.hpp"

namespace baton::coordination {
namespace {

constexpr std::int64_t schema_version = 2;
constexpr int prune_transfers_max = 100;  // of one call, so that a big history does not hold up what comes in

const char* const schema = R"(
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS agents (name TEXT PRIMARY KEY, status TEXT NOT NULL, received INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS transfers (
    id TEXT PRIMARY KEY, job TEXT, source TEXT, destination TEXT, user TEXT, host TEXT, state TEXT,
    code INTEGER, supplement TEXT, start INTEGER, end INTEGER, updated INTEGER,
    items INTEGER, items_total INTEGER, failed INTEGER, bytes INTEGER, bytes_total INTEGER,
    retries INTEGER, metadata TEXT, wasted INTEGER NOT NULL DEFAULT 0, rate INTEGER NOT NULL DEFAULT 0,
    time_left INTEGER NOT NULL DEFAULT -1, channel TEXT NOT NULL DEFAULT '');
  CREATE INDEX IF NOT EXISTS transfers_by_start ON transfers (start);
  CREATE TABLE IF NOT EXISTS events (id TEXT, sequence INTEGER, PRIMARY KEY (id, sequence)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS items (
    id TEXT, number INTEGER, source TEXT, destination TEXT, size INTEGER, modified INTEGER, method TEXT, checksum TEXT,
    code INTEGER, supplement TEXT, disposition TEXT, mode TEXT, PRIMARY KEY (id, number)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS takeovers (
    agent TEXT, epoch INTEGER, instance TEXT, time INTEGER, event TEXT, PRIMARY KEY (agent, epoch, instance, time));
)";

// What a schema of version 1 lacks.
const char* const from_version_1 = R"(
  BEGIN IMMEDIATE;
  ALTER TABLE transfers ADD COLUMN wasted INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE transfers ADD COLUMN rate INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE transfers ADD COLUMN time_left INTEGER NOT NULL DEFAULT -1;
  ALTER TABLE transfers ADD COLUMN channel TEXT NOT NULL DEFAULT '';
  PRAGMA user_version = 2;
  COMMIT;
)";

// The words of a transfer that has ended.
std::string end_word(const formats::log_event& event) {
  if (event.action == "malformed") return "malformed";
  if (event.result_code == 0) return "successful";
  if (event.result_code == 20) return "partiallySuccessful";
  if (event.result_code == 41) return "cancelled";
  return "failed";
}

std::int64_t number(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

const char* const transfer_columns =
    "id, job, source, destination, user, host, state, code, supplement, start, end, updated, items, items_total, "
    "failed, "
    "bytes, bytes_total, retries, metadata, wasted, rate, time_left, channel";

formats::transfer_row read_row(statement& row) {
  formats::transfer_row r;
  r.id = row.text(0);
  r.job = row.text(1);
  r.source_agent = row.text(2);
  r.destination_agent = row.text(3);
  r.originator_user = row.text(4);
  r.originator_host = row.text(5);
  r.state = row.text(6);
  r.result_code = static_cast<int>(row.number(7));
  r.supplement = row.text(8);
  r.start_ms = row.number(9);
  r.end_ms = row.number(10);
  r.updated_ms = row.number(11);
  r.items = static_cast<std::uint64_t>(row.number(12));
  r.items_total = static_cast<std::uint64_t>(row.number(13));
  r.failed = static_cast<std::uint64_t>(row.number(14));
  r.bytes = static_cast<std::uint64_t>(row.number(15));
  r.bytes_total = static_cast<std::uint64_t>(row.number(16));
  r.retries = static_cast<int>(row.number(17));
  const auto metadata = nlohmann::json::parse(row.text(18), nullptr, false);
  if (metadata.is_object()) r.metadata = metadata.get<std::map<std::string, std::string>>();
  r.wasted_bytes = static_cast<std::uint64_t>(row.number(19));
  if (r.result_code >= 0) return r;
  r.rate = static_cast<std::uint64_t>(row.number(20));
  r.time_left_ms = row.number(21);
  r.channel = row.text(22);
  return r;
}

std::int64_t bounded(int limit) {
  return std::clamp(limit, 1, formats::answer_rows_max);
}

}  // namespace

history::history(const std::string& path, bool shared) : db_(path) {
  db_.execute("PRAGMA busy_timeout = 2000");
  db_.execute(shared ? "PRAGMA journal_mode = PERSIST" : "PRAGMA journal_mode = WAL");
  const std::int64_t found = db_.read_number("PRAGMA user_version");
  if (found > schema_version) {
    throw database_error(SQLITE_ERROR, fmt::format("{} was written by a newer version (schema {}, this one knows {})",
                                                   path, found, schema_version));
  }
  if (found == 1) db_.execute(from_version_1);
  db_.execute(schema);
  if (found != schema_version) db_.execute(fmt::format("PRAGMA user_version = {}", schema_version).c_str());
}

void history::begin() {
  db_.execute("BEGIN IMMEDIATE");
}
void history::commit() {
  db_.execute("COMMIT");
}
void history::roll_back() {
  db_.execute("ROLLBACK");
}

void history::apply(const formats::agent_status& status, std::int64_t now_ms) {
  statement(db_, "INSERT OR REPLACE INTO agents (name, status, received) VALUES (?, ?, ?)")
      .bind(std::string_view(status.agent))
      .bind(std::string_view(to_json(status)))
      .bind(now_ms)
      .run();
}

void history::remove_agent(const std::string& agent) {
  statement(db_, "DELETE FROM agents WHERE name = ?").bind(std::string_view(agent)).run();
}

void history::apply(const formats::log_event& event) {
  const std::string_view id = event.transfer_id;
  statement(db_, "INSERT OR IGNORE INTO events (id, sequence) VALUES (?, ?)")
      .bind(id)
      .bind(number(event.sequence))
      .run();
  if (db_.read_number("SELECT changes()") == 0) return;
  statement(
      db_,
      "INSERT OR IGNORE INTO transfers (id, job, source, destination, user, host, state, code, supplement, start, "
      "end, updated, items, items_total, failed, bytes, bytes_total, retries, metadata) "
      "VALUES (?, ?, ?, ?, ?, ?, 'started', -1, '', ?, 0, ?, 0, ?, 0, 0, ?, 0, ?)")
      .bind(id)
      .bind(std::string_view(event.job))
      .bind(std::string_view(event.source_agent))
      .bind(std::string_view(event.destination_agent))
      .bind(std::string_view(event.originator_user))
      .bind(std::string_view(event.originator_host))
      .bind(event.start_time_ms)
      .bind(event.time_ms)
      .bind(number(event.items_total))
      .bind(number(event.bytes_total))
      .bind(std::string_view(
          nlohmann::json(event.metadata).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace)))
      .run();
  const std::uint64_t fresh = add_items(event);
  // Events may come in any order: what they add up to must not depend on it.
  statement(
      db_,
      "UPDATE transfers SET items = items + ?, items_total = max(items_total, ?), bytes_total = max(bytes_total, ?) "
      "WHERE id = ?")
      .bind(number(fresh))
      .bind(number(event.items_total))
      .bind(number(event.bytes_total))
      .bind(id)
      .run();
  if (event.action == "started" || event.action == "progress") {
    statement(db_,
              "UPDATE transfers SET updated = max(updated, ?), failed = max(failed, ?), bytes = max(bytes, ?), "
              "retries = max(retries, ?), wasted = max(wasted, ?) WHERE id = ? AND code = -1")
        .bind(event.time_ms)
        .bind(number(event.failed))
        .bind(number(event.bytes_sent))
        .bind(std::int64_t{event.retries})
        .bind(number(event.wasted_bytes))
        .bind(id)
        .run();
    return;
  }
  const std::string state = end_word(event);
  statement(db_,
            "UPDATE transfers SET state = ?, code = ?, supplement = ?, end = ?, updated = ?, failed = ?, bytes = ?, "
            "retries = ?, wasted = ? WHERE id = ?")
      .bind(std::string_view(state))
      .bind(std::int64_t{event.result_code})
      .bind(std::string_view(event.supplement))
      .bind(event.time_ms)
      .bind(event.time_ms)
      .bind(number(event.failed))
      .bind(number(event.bytes_sent))
      .bind(std::int64_t{event.retries})
      .bind(number(event.wasted_bytes))
      .bind(id)
      .run();
}

// How many were not known before: an activation reports again what the record of the one before it did not have yet.
std::uint64_t history::add_items(const formats::log_event& event) {
  if (event.items.empty()) return 0;
  std::uint64_t fresh = 0;
  statement known(db_, "SELECT count(*) FROM items WHERE id = ? AND number = ?");
  statement insert(db_,
                   "INSERT OR REPLACE INTO items (id, number, source, destination, size, modified, method, checksum, "
                   "code, supplement, disposition, mode) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const auto& item : event.items) {
    known.bind(std::string_view(event.transfer_id)).bind(number(item.number));
    fresh += known.next() && known.number(0) == 0 ? 1 : 0;
    known.reset();
    insert.bind(std::string_view(event.transfer_id))
        .bind(number(item.number))
        .bind(std::string_view(item.source))
        .bind(std::string_view(item.destination))
        .bind(number(item.size))
        .bind(item.modified_ms)
        .bind(std::string_view(item.checksum_method))
        .bind(std::string_view(item.checksum))
        .bind(std::int64_t{item.result_code})
        .bind(std::string_view(item.supplement))
        .bind(std::string_view(item.disposition))
        .bind(std::string_view(item.mode))
        .run();
  }
  return fresh;
}

void history::apply(const formats::transfer_status& status) {
  const auto& p = status.how_far;
  statement(db_,
            "UPDATE transfers SET state = ?, updated = ?, items_total = ?, bytes = max(bytes, ?), bytes_total = ?, "
            "retries = max(retries, ?), wasted = max(wasted, ?), rate = ?, time_left = ?, channel = ? "
            "WHERE id = ? AND code = -1")
      .bind(std::string_view(p.state))
      .bind(status.time_ms)
      .bind(number(p.items_total))
      .bind(number(p.bytes))
      .bind(number(p.bytes_total))
      .bind(std::int64_t{p.retries})
      .bind(number(p.wasted_bytes))
      .bind(number(p.rate))
      .bind(p.time_left_ms)
      .bind(std::string_view(p.channel))
      .bind(std::string_view(p.transfer_id))
      .run();
}

void history::apply(const formats::takeover& event) {
  statement(db_, "INSERT OR IGNORE INTO takeovers (agent, epoch, instance, time, event) VALUES (?, ?, ?, ?, ?)")
      .bind(std::string_view(event.agent))
      .bind(number(event.epoch))
      .bind(std::string_view(event.instance))
      .bind(event.time_ms)
      .bind(std::string_view(to_json(event)))
      .run();
}

formats::answer history::find_takeovers(const formats::query& question) {
  formats::answer found;
  statement rows(db_, "SELECT agent, event FROM takeovers ORDER BY time DESC, epoch DESC");
  while (rows.next() && static_cast<std::int64_t>(found.takeovers.size()) < bounded(question.limit)) {
    if (!wildcard_match(upper(question.pattern), rows.text(0))) continue;
    if (const auto event = formats::read_takeover(rows.text(1))) found.takeovers.push_back(*event);
  }
  return found;
}

formats::answer history::find(const formats::query& question, std::int64_t now_ms) {
  if (question.what == "agents") return find_agents(question, now_ms);
  if (question.what == "takeovers") return find_takeovers(question);
  if (question.what == "transfers") return find_transfers(question);
  if (question.what == "transfer") return find_transfer(question);
  if (question.what == "items") return find_items(question);
  formats::answer unknown;
  unknown.result_code = 1;
  unknown.text = "query: what: expected agents, takeovers, transfers, transfer or items, found " + question.what;
  return unknown;
}

formats::answer history::find_agents(const formats::query& question, std::int64_t now_ms) {
  formats::answer found;
  statement rows(db_, "SELECT name, status, received FROM agents ORDER BY name");
  while (rows.next()) {
    if (!wildcard_match(upper(question.pattern), rows.text(0))) continue;
    const auto status = formats::read_agent_status(rows.text(1));
    if (!status) continue;
    formats::agent_row row;
    row.status = *status;
    row.age_ms = std::max<std::int64_t>(now_ms - rows.number(2), 0);
    const bool late = row.age_ms > status->publish_interval_ms + status->jitter_ms;
    const bool ended = status->status == "STOPPED" || status->status == "ENDED UNEXPECTEDLY";
    row.shown_status = late && !ended ? "UNREACHABLE" : status->status;
    found.agents.push_back(std::move(row));
  }
  return found;
}

formats::answer history::find_transfers(const formats::query& question) {
  formats::answer found;
  statement rows(db_, fmt::format("SELECT {} FROM transfers WHERE (? = 0 OR code = -1) ORDER BY start DESC, id LIMIT ?",
                                  transfer_columns)
                          .c_str());
  rows.bind(std::int64_t{question.active_only ? 1 : 0}).bind(bounded(question.limit));
  while (rows.next()) found.transfers.push_back(read_row(rows));
  return found;
}

formats::answer history::find_transfer(const formats::query& question) {
  formats::answer found;
  statement rows(db_,
                 fmt::format("SELECT {} FROM transfers WHERE id >= ? AND id < ? LIMIT 2", transfer_columns).c_str());
  // Every id that starts with the text: "g" is above all hex digits.
  rows.bind(std::string_view(question.id)).bind(std::string_view(question.id + "g"));
  while (rows.next()) found.transfers.push_back(read_row(rows));
  if (found.transfers.size() == 1) return found;
  found.result_code = 1;
  found.text = found.transfers.empty() ? "no transfer is known whose id starts with " + question.id
                                       : "several transfers start with " + question.id + ", give more digits";
  found.transfers.clear();
  return found;
}

formats::answer history::find_items(const formats::query& question) {
  formats::answer found;
  statement rows(db_,
                 "SELECT number, source, destination, size, modified, method, checksum, code, supplement, disposition, "
                 "mode FROM items WHERE id = ? AND number >= ? ORDER BY number LIMIT ?");
  rows.bind(std::string_view(question.id)).bind(number(question.after)).bind(bounded(question.limit));
  while (rows.next()) {
    formats::log_item item;
    item.number = static_cast<std::uint64_t>(rows.number(0));
    item.source = rows.text(1);
    item.destination = rows.text(2);
    item.size = static_cast<std::uint64_t>(rows.number(3));
    item.modified_ms = rows.number(4);
    item.checksum_method = rows.text(5);
    item.checksum = rows.text(6);
    item.result_code = static_cast<int>(rows.number(7));
    item.supplement = rows.text(8);
    item.disposition = rows.text(9);
    item.mode = rows.text(10);
    found.items.push_back(std::move(item));
  }
  return found;
}

bool history::prune(std::int64_t before_ms) {
  statement(db_, "DELETE FROM takeovers WHERE time < ?").bind(before_ms).run();
  std::vector<std::string> old;
  {
    statement rows(db_, "SELECT id FROM transfers WHERE updated < ? LIMIT ?");
    rows.bind(before_ms).bind(std::int64_t{prune_transfers_max});
    while (rows.next()) old.push_back(rows.text(0));
  }
  for (const auto& id : old) {
    for (const char* sql :
         {"DELETE FROM items WHERE id = ?", "DELETE FROM events WHERE id = ?", "DELETE FROM transfers WHERE id = ?"}) {
      statement(db_, sql).bind(std::string_view(id)).run();
    }
  }
  return old.size() == static_cast<std::size_t>(prune_transfers_max);
}

}  // namespace baton::coordination
