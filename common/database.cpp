#include "common/database.hpp"

#include <fmt/format.h>

namespace baton {

database::database(const std::string& path) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  handle_.reset(opened);
  if (code != SQLITE_OK) fail(code);
  sqlite3_extended_result_codes(opened, 1);
}

void database::fail(int result_code) const {
  const std::string detail = handle_ ? sqlite3_errmsg(handle_.get()) : "out of memory";
  throw database_error(result_code, fmt::format("{} (SQLite {})", detail, result_code));
}

void database::execute(const char* sql) {
  const int code = sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

std::int64_t database::read_number(const char* sql) {
  statement query(*this, sql);
  return query.next() ? query.number(0) : 0;
}

statement::statement(database& db, const char* sql) : db_(db) {
  sqlite3_stmt* made = nullptr;
  check(sqlite3_prepare_v3(db.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr));
  prepared_.reset(made);
}

void statement::check(int result_code) {
  if (result_code != SQLITE_OK) db_.fail(result_code);
}

statement& statement::bind(std::int64_t value) {
  check(sqlite3_bind_int64(prepared_.get(), ++bound_, value));
  return *this;
}

statement& statement::bind(std::string_view text) {
  check(sqlite3_bind_text64(prepared_.get(), ++bound_, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

statement& statement::bind_bytes(std::string_view bytes) {
  check(sqlite3_bind_blob64(prepared_.get(), ++bound_, bytes.data(), bytes.size(), SQLITE_STATIC));
  return *this;
}

void statement::run() {
  next();
}

bool statement::next() {
  const int code = sqlite3_step(prepared_.get());
  if (code == SQLITE_ROW) return true;
  reset();
  if (code != SQLITE_DONE) db_.fail(code);
  return false;
}

void statement::reset() {
  sqlite3_reset(prepared_.get());
  bound_ = 0;
}

std::int64_t statement::number(int column) {
  return sqlite3_column_int64(prepared_.get(), column);
}

std::string statement::text(int column) {
  const auto* characters = reinterpret_cast<const char*>(sqlite3_column_text(prepared_.get(), column));
  return characters == nullptr ? "" : characters;
}

std::string_view statement::bytes(int column) {
  const auto* start = static_cast<const char*>(sqlite3_column_blob(prepared_.get(), column));
  return {start, static_cast<std::size_t>(sqlite3_column_bytes(prepared_.get(), column))};
}

}  // namespace baton
