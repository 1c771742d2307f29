#include "commands/console.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "common/text.hpp"

namespace baton::commands {
namespace {

const message& message_for(errc code) {
  switch (code) {
    case errc::bad_usage:
      return messages::BFGCL0901E;
    case errc::bad_property:
      return messages::BFGUB0038E;
    case errc::unreachable:
      return messages::BFGCL0061E;
    case errc::timed_out:
      return messages::BFGCL0903E;
    case errc::not_found:
      return messages::BFGCL0904E;
    case errc::already_exists:
      return messages::BFGCL0905E;
    case errc::not_permitted:
      return messages::BFGCL0502E;
    case errc::in_use:
      return messages::BFGCL0906E;
    default:
      return messages::BFGCL0907E;
  }
}

void put(std::FILE* where, std::string_view text) {
  fmt::print(where, "{}\n", text);
}

}  // namespace

void print_line(std::string_view text) {
  put(stdout, text);
}
void print_message(const std::string& text) {
  put(stdout, escape_control(text));
}
void print_complaint(const std::string& text) {
  std::fflush(stdout);  // so that both come out in the order that they were said in
  put(stderr, escape_control(text));
}

int fail(const error& failure) {
  // Reading a file can have found several things wrong: a line each.
  for (const std::string& line : split(failure.text, '\n')) complain(message_for(failure.code), line);
  return exit_code(failure.code);
}

}  // namespace baton::commands
