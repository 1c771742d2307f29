#include "common/formats/program_call.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "common/text.hpp"

namespace baton::formats {
namespace {

error wrong(std::string text) {
  return {errc::bad_usage, std::move(text)};
}

template <class Number>
bool read_whole(std::string_view text, Number& number) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

// The text in pieces: a separator counts where no \ is before it.
struct scanner {
  std::string_view rest;

  // Up to one of `ends`, which stays; its \ are taken out.
  std::string take_until(std::string_view ends) {
    std::string taken;
    while (!rest.empty() && ends.find(rest.front()) == std::string_view::npos) {
      if (rest.size() > 1 && rest.front() == '\\' && std::string_view("\\(),").find(rest[1]) != std::string_view::npos)
        rest.remove_prefix(1);
      taken += rest.front();
      rest.remove_prefix(1);
    }
    return taken;
  }
  bool take(char c) {
    if (rest.empty() || rest.front() != c) return false;
    rest.remove_prefix(1);
    return true;
  }
};

status take_kind(std::string_view& words) {
  const std::string kind = upper(std::string(words.substr(0, words.find(':'))));
  if (kind == "EXECUTABLE") words.remove_prefix(kind.size() + 1);
  if (kind == "ANTSCRIPT" || kind == "JCL") {
    return wrong(fmt::format("programs of the type {} are not supported, only executable ones", kind));
  }
  return done();
}

status take_arguments(scanner& in, program_call& call) {
  if (!in.take('(')) return done();
  if (in.take(')')) return done();
  do {
    call.arguments.push_back(in.take_until(",)"));
  } while (in.take(','));
  return in.take(')') ? done() : status(wrong("its list of arguments has no end: ) is missing"));
}

status take_numbers(scanner& in, program_call& call) {
  const std::string count = in.take(',') ? in.take_until(",") : "", wait = in.take(',') ? in.take_until(",") : "";
  if (!count.empty() &&
      (!read_whole(count, call.retry_count) || call.retry_count < 0 || call.retry_count > retry_count_max)) {
    return wrong(fmt::format("its number of retries is from 0 to {}, and not \"{}\"", retry_count_max, count));
  }
  if (!wait.empty() &&
      (!read_whole(wait, call.retry_wait_s) || call.retry_wait_s < 0 || call.retry_wait_s > retry_wait_s_max)) {
    return wrong(
        fmt::format("its wait between retries is from 0 to {} seconds, and not \"{}\"", retry_wait_s_max, wait));
  }
  return done();
}

result<bool> holds(std::string_view condition, int exit_code) {
  const char sign = condition.empty() ? '=' : condition.front();
  const bool has_sign = sign == '>' || sign == '<' || sign == '!';
  int number = 0;
  if (!read_whole(condition.substr(has_sign ? 1 : 0), number)) {
    return wrong(fmt::format("\"{}\" is not an exit code, or one behind >, < or !", condition));
  }
  if (sign == '>') return exit_code > number;
  if (sign == '<') return exit_code < number;
  return sign == '!' ? exit_code != number : exit_code == number;
}

}  // namespace

result<program_call> parse_program_call(const std::string& words) {
  scanner in{words};
  program_call call;
  if (auto kind = take_kind(in.rest); !kind) return kind.error();
  call.command = in.take_until("(,");
  if (call.command.empty()) return wrong("it names no program");
  if (auto taken = take_arguments(in, call); !taken) return taken.error();
  if (auto taken = take_numbers(in, call); !taken) return taken.error();
  if (in.take(',') && !in.rest.empty())
    call.success = in.rest;
  else if (!in.rest.empty())
    return wrong(fmt::format("what is behind the program is not understood: \"{}\"", in.rest));
  if (const auto known = is_success(call.success, 0); !known) return known.error();
  return call;
}

status check(const program_call& call) {
  const auto bad = [](const std::string& why) { return error{errc::bad_message, why}; };
  const auto has_zero = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  if (has_zero(call.command) || std::any_of(call.arguments.begin(), call.arguments.end(), has_zero)) {
    return bad("its command or an argument contains a zero byte");
  }
  if (call.retry_count < 0 || call.retry_count > retry_count_max) {
    return bad(fmt::format("retryCount {} is not 0 to {}", call.retry_count, retry_count_max));
  }
  if (call.retry_wait_s < 0 || call.retry_wait_s > retry_wait_s_max) {
    return bad(fmt::format("retryWait {} is not 0 to {}", call.retry_wait_s, retry_wait_s_max));
  }
  if (const auto success = is_success(call.success, 0); !success) return bad(success.error().text);
  return done();
}

result<bool> is_success(const std::string& expression, int exit_code) {
  bool any = false, all = true;
  for (std::string_view rest = expression;;) {
    const auto end = rest.find_first_of("&|");
    const auto one = holds(rest.substr(0, end), exit_code);
    if (!one) return one.error();
    all = all && *one;
    const bool more = end != std::string_view::npos;
    if (!more || rest[end] == '|') any = any || std::exchange(all, true);
    if (!more) return any;
    rest.remove_prefix(end + 1);
  }
}

}  // namespace baton::formats
