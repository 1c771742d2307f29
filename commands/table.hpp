// Text in columns, for people.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace baton::commands {

// A heading line and rows below it; each column is as wide as its widest cell. Cells may come from anywhere: control
// characters in them are escaped.
class text_table {
 public:
  explicit text_table(std::vector<std::string> headings) : rows_{std::move(headings)} {}
  void add(std::vector<std::string> row);
  std::string rendered() const;  // without a line end after the last row

 private:
  std::vector<std::vector<std::string>> rows_;
};

// "Title:" and below it "    Name:    value" lines, on standard output.
void print_fields(const std::string& title, const std::vector<std::pair<std::string, std::string>>& fields);

// How many columns a text takes on a screen: characters, not bytes.
std::size_t screen_width(const std::string& text);

}  // namespace baton::commands
