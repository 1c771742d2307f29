// SQLite as the stores need it: open, prepare, bind, step. Errors are exceptions here and values in store.hpp.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace baton {

// What SQLite said, with its extended result code.
class database_error : public std::runtime_error {
 public:
  database_error(int result_code, const std::string& text) : std::runtime_error(text), code(result_code) {}
  int code;
};

class database {
 public:
  explicit database(const std::string& path);
  void execute(const char* sql);
  std::int64_t read_number(const char* sql);
  sqlite3* handle() const { return handle_.get(); }
  [[noreturn]] void fail(int result_code) const;

 private:
  struct closer {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  std::unique_ptr<sqlite3, closer> handle_;
};

// A prepared statement, bound from the left: `insert.bind(1).bind("x").run()`.
class statement {
 public:
  statement(database& db, const char* sql);
  statement& bind(std::int64_t value);
  statement& bind(std::string_view text);
  statement& bind_bytes(std::string_view bytes);  // not copied: they must live until run()
  void run();                                     // for those without rows
  bool next();                                    // the next row; at the end it is ready to be bound again
  void reset();
  std::int64_t number(int column);
  std::string text(int column);
  std::string_view bytes(int column);  // until next()

 private:
  void check(int result_code);
  struct finalizer {
    void operator()(sqlite3_stmt* prepared) const { sqlite3_finalize(prepared); }
  };
  database& db_;
  std::unique_ptr<sqlite3_stmt, finalizer> prepared_;
  int bound_ = 0;
};

}  // namespace baton
