#include "commands/progress_view.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/text.hpp"

namespace baton::commands {
namespace {

constexpr std::size_t bar_width = 24;

double fraction_of(const formats::progress& now) {
  // Without bytes (empty files only) the number of files says how far it is.
  const double whole = static_cast<double>(now.bytes_total > 0 ? now.bytes_total : now.items_total);
  const double part = static_cast<double>(now.bytes_total > 0 ? now.bytes : now.items);
  return whole > 0 ? std::clamp(part / whole, 0.0, 1.0) : 0.0;
}

std::string amounts(const formats::progress& now) {
  return fmt::format("{} of {} files, {} of {}{}{}", now.items, now.items_total, human_bytes(now.bytes),
                     human_bytes(now.bytes_total),
                     pace_text({now.rate, now.time_left_ms, now.channel, now.retries, now.wasted_bytes}),
                     now.failed > 0 ? fmt::format(", {} failed", now.failed) : "");
}

}  // namespace

std::string pace_text(const pace& of) {
  std::string text;
  if (of.rate > 0) text += fmt::format(", {}/s", human_bytes(of.rate));
  if (of.rate > 0 && of.time_left_ms > 0) text += fmt::format(", {} left", human_duration_ms(of.time_left_ms));
  if (!of.channel.empty()) text += ", " + escape_control(of.channel);
  if (of.retries > 0) text += fmt::format(", {} {}", of.retries, of.retries == 1 ? "recovery" : "recoveries");
  if (of.wasted_bytes > 0) text += fmt::format(", {} sent in vain", human_bytes(of.wasted_bytes));
  return text;
}

std::string progress_bar(const formats::progress& now, std::size_t columns) {
  const double fraction = fraction_of(now);
  const auto filled = static_cast<std::size_t>(fraction * bar_width);
  std::string bar(filled, '=');
  if (filled < bar_width) bar += '>';
  bar.resize(bar_width, ' ');
  std::string line = fmt::format("[{}] {:3.0f} %  {}", bar, fraction * 100, amounts(now));
  return line.substr(0, columns > 0 ? columns - 1 : line.size());
}

std::string progress_line(const formats::progress& now) {
  return fmt::format("{}: {}", now.state.empty() ? "Transfer" : escape_control(now.state), amounts(now));
}

}  // namespace baton::commands
