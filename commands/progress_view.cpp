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

std::string speed(const formats::progress& now, const progress_rate& rate) {
  if (rate.bytes_per_second() == 0) return "";
  const std::int64_t left = rate.left_ms(now);
  return fmt::format(", {}/s{}", human_bytes(rate.bytes_per_second()),
                     left > 0 ? fmt::format(", {} left", human_duration_ms(left)) : "");
}

std::string amounts(const formats::progress& now, const progress_rate& rate) {
  return fmt::format("{} of {} files, {} of {}{}{}", now.items, now.items_total, human_bytes(now.bytes),
                     human_bytes(now.bytes_total), speed(now, rate),
                     now.failed > 0 ? fmt::format(", {} failed", now.failed) : "");
}

}  // namespace

void progress_rate::add(const formats::progress& now) {
  if (!begun_) {
    begun_ = true;
    first_bytes_ = now.bytes;
    first_ms_ = now.elapsed_ms;
    return;
  }
  if (now.elapsed_ms <= first_ms_ || now.bytes < first_bytes_) return;
  rate_ = (now.bytes - first_bytes_) * 1000 / static_cast<std::uint64_t>(now.elapsed_ms - first_ms_);
}

std::int64_t progress_rate::left_ms(const formats::progress& now) const {
  if (rate_ == 0 || now.bytes > now.bytes_total) return -1;
  return static_cast<std::int64_t>(static_cast<double>(now.bytes_total - now.bytes) * 1000 /
                                   static_cast<double>(rate_));
}

std::string progress_bar(const formats::progress& now, const progress_rate& rate, std::size_t columns) {
  const double fraction = fraction_of(now);
  const auto filled = static_cast<std::size_t>(fraction * bar_width);
  std::string bar(filled, '=');
  if (filled < bar_width) bar += '>';
  bar.resize(bar_width, ' ');
  std::string line = fmt::format("[{}] {:3.0f} %  {}", bar, fraction * 100, amounts(now, rate));
  return line.substr(0, columns > 0 ? columns - 1 : line.size());
}

std::string progress_line(const formats::progress& now, const progress_rate& rate) {
  return fmt::format("{}: {}", now.state.empty() ? "Transfer" : escape_control(now.state), amounts(now, rate));
}

}  // namespace baton::commands
