#include "commands/table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "commands/console.hpp"
#include "common/text.hpp"

namespace baton::commands {

std::size_t screen_width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

void text_table::add(std::vector<std::string> row) {
  for (std::string& cell : row) cell = escape_control(cell);
  row.resize(rows_.front().size());
  rows_.push_back(std::move(row));
}

std::string text_table::rendered() const {
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], screen_width(row[i]));
  }
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line += row[i] + std::string(widths[i] - screen_width(row[i]) + 2, ' ');
    line.erase(line.find_last_not_of(' ') + 1);
    out += (out.empty() ? "" : "\n") + line;
  }
  return out;
}

void print_fields(const std::string& title, const std::vector<std::pair<std::string, std::string>>& fields) {
  std::size_t width = 0;
  for (const auto& field : fields) width = std::max(width, screen_width(field.first));
  print_line(title + ":");
  for (const auto& [name, value] : fields) {
    print_line(fmt::format("    {}:{} {}", name, std::string(width - screen_width(name), ' '), escape_control(value)));
  }
}

}  // namespace baton::commands
