// A program that is run at one end of a transfer, and when it counts as successful. Pure; any thread. The notation is
// the field's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/result.hpp"

namespace baton::formats {

struct program_call {
  std::string command;                 // bytes; absolute, or below a directory of commandPath; empty: there is none
  std::vector<std::string> arguments;  // bytes
  int retry_count = 0;                 // how often more it is run when it is not successful; 0 to retry_count_max
  std::int64_t retry_wait_s = 0;       // before each of these; 0 to retry_wait_s_max
  std::string success = "0";           // see is_success()

  bool is_set() const { return !command.empty(); }
};
inline constexpr int retry_count_max = 1000;
inline constexpr std::int64_t retry_wait_s_max = 86400;

// `[executable:]command[(argument,...)][,[retries][,[seconds][,success]]]`. A \ takes its meaning from any of \ ( ) and
// a comma. errc::bad_usage says what is wrong; other kinds of programs are refused by name.
result<program_call> parse_program_call(const std::string& words);

// What a call that somebody else wrote must not say, which parse_program_call() never gives: errc::bad_message.
status check(const program_call& call);

// Exit codes that are a success: conditions with & between them hold together, | is between alternatives; a condition
// is a number, or one behind >, < or !. errc::bad_usage when the expression is none.
result<bool> is_success(const std::string& expression, int exit_code);

}  // namespace baton::formats
