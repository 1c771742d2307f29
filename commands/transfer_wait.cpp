#include "commands/transfer_wait.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "commands/console.hpp"
#include "commands/progress_view.hpp"
#include "common/loop.hpp"
#include "common/text.hpp"

namespace baton::commands {
namespace {

constexpr std::int64_t line_interval_ms = 2000;
constexpr std::int64_t patience_ms = 3600000;  // one wait of an endless one

std::size_t terminal_columns() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

class progress_display {
 public:
  explicit progress_display(bool quiet) : quiet_(quiet), terminal_(::isatty(STDOUT_FILENO) == 1) {}

  void show(const formats::progress& now) {
    if (quiet_) return;
    if (terminal_) {
      fmt::print("\r\033[K{}", progress_bar(now, terminal_columns()));
      std::fflush(stdout);
      drawn_ = true;
    } else if (boot_time_ms() >= next_line_ms_) {
      print_line(progress_line(now));
      std::fflush(stdout);
      next_line_ms_ = boot_time_ms() + line_interval_ms;
    }
  }
  void finish() {
    if (drawn_) fmt::print("\r\033[K");
  }

 private:
  const bool quiet_, terminal_;
  bool drawn_ = false;
  std::int64_t next_line_ms_ = 0;
};

int report(const formats::reply& last, bool json) {
  if (json) {
    print_line(nlohmann::json::parse(formats::to_json(last)).dump());
    return last.result_code;
  }
  const auto rate = last.elapsed_ms > 0 ? last.bytes * 1000 / static_cast<std::uint64_t>(last.elapsed_ms) : 0;
  const std::string text = fmt::format(
      "{} ({} files, {} failed, {} in {}{})",
      last.text.empty() ? fmt::format("The transfer ended with result code {}", last.result_code) : last.text,
      last.items, last.failed, human_bytes(last.bytes), human_duration_ms(last.elapsed_ms),
      pace_text({rate, -1, {}, last.retries, last.wasted_bytes}));
  if (last.result_code == 0)
    print_message(text);
  else
    print_complaint(text);
  return last.result_code;
}

int not_told(const error& why, const std::string& id) {
  const bool over = why.code == errc::timed_out;
  if (over)
    complain(messages::BFGCL0940E, id);
  else
    complain(messages::BFGCL0941E, id, why.text);
  return exit_code(why.code);
}

}  // namespace

int wait_for_transfer(amqp::requester& conversation, const formats::transfer_request& request, std::int64_t timeout_ms,
                      bool json) {
  const std::int64_t deadline = timeout_ms < 0 ? std::numeric_limits<std::int64_t>::max() : boot_time_ms() + timeout_ms;
  progress_display display(json);
  for (;;) {
    const std::int64_t left = std::clamp<std::int64_t>(deadline - boot_time_ms(), 0, patience_ms);
    const auto message = conversation.receive(left);
    if (!message) {
      if (message.error().code == errc::timed_out && boot_time_ms() < deadline) continue;
      display.finish();
      return not_told(message.error(), request.id);
    }
    if (message->correlation_id != request.id) continue;
    if (message->subject == formats::subject::progress) {
      if (const auto now = formats::read_progress(message->body)) display.show(*now);
      continue;
    }
    display.finish();
    const auto last = formats::read_reply(message->body);
    return last ? report(*last, json) : fail(last.error());
  }
}

}  // namespace baton::commands
