#include "commands/transfer_wait.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <utility>

#include "commands/console.hpp"
#include "commands/conversation.hpp"
#include "commands/progress_view.hpp"
#include "common/loop.hpp"
#include "common/text.hpp"

namespace baton::commands {
namespace {

constexpr std::int64_t line_interval_ms = 2000;
constexpr std::int64_t silence_ms = 10000;  // of an agent that says every 500 ms how far a running transfer is
constexpr std::int64_t ask_interval_ms = 1000, ask_timeout_ms = 3000;

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
    if (std::exchange(drawn_, false)) fmt::print("\r\033[K");
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

formats::progress progress_of(const formats::transfer_row& row) {
  formats::progress p;
  p.transfer_id = row.id;
  p.state = row.state;
  p.items = row.items;
  p.items_total = row.items_total;
  p.failed = row.failed;
  p.bytes = row.bytes;
  p.bytes_total = row.bytes_total;
  p.elapsed_ms = row.updated_ms - row.start_ms;
  p.retries = row.retries;
  p.wasted_bytes = row.wasted_bytes;
  p.rate = row.rate;
  p.time_left_ms = row.time_left_ms;
  p.channel = row.channel;
  return p;
}

formats::reply result_of(const formats::transfer_row& row) {
  formats::reply r;
  r.result_code = row.result_code;
  r.text = row.supplement;
  r.transfer_id = row.id;
  r.items = row.items;
  r.failed = row.failed;
  r.bytes = row.bytes;
  r.elapsed_ms = row.end_ms - row.start_ms;
  r.retries = row.retries;
  r.wasted_bytes = row.wasted_bytes;
  return r;
}

// First the agent tells, through the queue for answers. That is lost with the queue manager: then the history tells.
class waiting {
 public:
  waiting(const workspace& work, std::unique_ptr<amqp::requester> conversation, const std::string& id,
          std::int64_t timeout_ms, bool json)
      : work_(work),
        conversation_(std::move(conversation)),
        id_(id),
        deadline_(timeout_ms < 0 ? std::numeric_limits<std::int64_t>::max() : boot_time_ms() + timeout_ms),
        json_(json),
        display_(json) {}

  int until_the_end() {
    std::optional<formats::reply> last;
    while (!last && left() > 0) last = conversation_ ? listen() : ask_later();
    display_.finish();
    if (last) return report(*last, json_);
    if (!not_told_) {
      complain(messages::BFGCL0940E, id_);
    } else {
      complain(messages::BFGCL0941E, id_, *not_told_);
    }
    return exit_code(errc::timed_out);
  }

 private:
  std::int64_t left() const { return std::max<std::int64_t>(deadline_ - boot_time_ms(), 0); }

  // The last answer, if it came.
  std::optional<formats::reply> listen() {
    const auto message = conversation_->receive(std::min(left(), silence_ms));
    if (!message && message.error().code == errc::timed_out) return left() > 0 ? heard_nothing() : std::nullopt;
    if (!message) {
      display_.finish();
      complain(messages::BFGCL0943W, id_, message.error().text);
      conversation_.reset();
      return std::nullopt;
    }
    if (message->correlation_id != id_) return std::nullopt;
    if (message->subject == formats::subject::progress) {
      if (const auto now = formats::read_progress(message->body)) display_.show(*now);
      return std::nullopt;
    }
    const auto last = formats::read_reply(message->body);
    if (last) return *last;
    not_told_ = last.error().text;
    conversation_.reset();
    return std::nullopt;
  }

  // The answer may have been lost on its way, with a queue manager that was started again before the agent noticed.
  std::optional<formats::reply> heard_nothing() {
    auto last = ask();
    not_told_.reset();
    if (!last && !std::exchange(silence_told_, true)) {
      display_.finish();
      complain(messages::BFGCL0944W, id_, human_duration_ms(silence_ms));
    }
    return last;
  }

  std::optional<formats::reply> ask_later() {
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min(left(), ask_interval_ms)));
    return ask();
  }

  std::optional<formats::reply> ask() {
    formats::query question;
    question.what = "transfer";
    question.id = id_;
    const auto found = ask_coordination(work_, question, std::max<std::int64_t>(std::min(left(), ask_timeout_ms), 1));
    if (found || found.error().code == errc::not_found)
      not_told_.reset();
    else if (left() > 0)  // otherwise it had no time to answer
      not_told_ = found.error().text;
    if (!found || found->transfers.empty()) return std::nullopt;
    const auto& row = found->transfers.front();
    if (row.result_code >= 0) return result_of(row);
    display_.show(progress_of(row));
    return std::nullopt;
  }

  const workspace& work_;
  std::unique_ptr<amqp::requester> conversation_;
  const std::string id_;
  const std::int64_t deadline_;
  const bool json_;
  progress_display display_;
  std::optional<std::string> not_told_;  // why nobody can tell how it ends
  bool silence_told_ = false;
};

}  // namespace

int wait_for_transfer(const workspace& work, std::unique_ptr<amqp::requester> conversation,
                      const formats::transfer_request& request, std::int64_t timeout_ms, bool json) {
  return waiting(work, std::move(conversation), request.id, timeout_ms, json).until_the_end();
}

}  // namespace baton::commands
