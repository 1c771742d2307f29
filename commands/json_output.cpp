#include "commands/json_output.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>

namespace baton::commands {

std::string json_part(const formats::answer& answer, const char* member) {
  const auto all = nlohmann::json::parse(formats::to_json(answer), nullptr, false);
  const auto part = all.is_object() && all.contains(member) ? all[member] : nlohmann::json::array();
  return part.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string age_text(std::int64_t age_ms) {
  const std::int64_t seconds = std::max<std::int64_t>(age_ms, 0) / 1000;
  return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::string time_text(std::int64_t wall_ms) {
  if (wall_ms <= 0) return "";
  const auto seconds = static_cast<std::time_t>(wall_ms / 1000);
  std::tm local{};
  if (localtime_r(&seconds, &local) == nullptr) return "";
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", local);
}

}  // namespace baton::commands
