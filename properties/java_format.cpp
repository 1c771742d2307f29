#include "properties/java_format.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <cstdlib>

#include "common/text.hpp"
#include "properties/utf8.hpp"

namespace baton {
namespace {

constexpr std::string_view blanks = " \t\f";
bool is_blank(char c) {
  return blanks.find(c) != std::string_view::npos;
}

// Takes the next line off the text: up to \n, \r or \r\n.
std::string_view take_line(std::string_view& text) {
  const auto end = text.find_first_of("\r\n");
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end);
  if (text.starts_with("\r\n"))
    text.remove_prefix(2);
  else if (!text.empty())
    text.remove_prefix(1);
  return line;
}

std::string_view without_leading_blanks(std::string_view line) {
  const auto first = line.find_first_not_of(blanks);
  return first == std::string_view::npos ? std::string_view{} : line.substr(first);
}

// An even number of backslashes at the end is just backslashes.
bool continues(std::string_view line) {
  std::size_t count = 0;
  while (count < line.size() && line[line.size() - 1 - count] == '\\') ++count;
  return count % 2 == 1;
}

// Reads a name or a value with escapes; stops at an unescaped separator when `name` is set.
class unescaper {
 public:
  unescaper(std::string_view text, const environment& variables) : text_(text), variables_(variables) {}

  std::string name() {
    while (at_ < text_.size() && text_[at_] != '=' && text_[at_] != ':' && !is_blank(text_[at_])) take_character();
    return std::move(out_);
  }
  std::string value() {
    out_.clear();
    escaped_until_ = 0;
    while (at_ < text_.size()) {
      if (text_.substr(at_).starts_with("${"))
        take_variable();
      else
        take_character();
    }
    drop_trailing_blanks();
    return std::move(out_);
  }
  void skip_separator() {
    skip_blanks();
    if (at_ < text_.size() && (text_[at_] == '=' || text_[at_] == ':')) ++at_;
    skip_blanks();
  }
  const std::string& problem() const { return problem_; }

 private:
  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  // Java keeps blanks at the end of a value, and nobody ever meant them. Escaped ones were meant.
  void drop_trailing_blanks() {
    while (out_.size() > escaped_until_ && is_blank(out_.back())) out_.pop_back();
  }
  void complain(std::string text) {
    if (problem_.empty()) problem_ = std::move(text);
  }

  void take_character() {
    if (text_[at_] != '\\') {
      out_ += text_[at_++];
      return;
    }
    ++at_;
    if (at_ == text_.size()) return;  // a lone backslash at the end of the file says nothing
    const char c = text_[at_++];
    switch (c) {
      case 't':
        out_ += '\t';
        break;
      case 'n':
        out_ += '\n';
        break;
      case 'r':
        out_ += '\r';
        break;
      case 'f':
        out_ += '\f';
        break;
      case 'u':
        take_unicode();
        break;
      default:
        out_ += c;
    }
    escaped_until_ = out_.size();
  }

  // Four hex digits at the current place; complains and gives nothing when there are none.
  std::optional<std::uint32_t> four_digits() {
    const auto bytes = from_hex(text_.substr(at_, 4));
    if (!bytes || bytes->size() != 2) {
      complain("\\u needs four hex digits");
      return std::nullopt;
    }
    at_ += 4;
    return static_cast<std::uint32_t>(static_cast<unsigned char>((*bytes)[0]) * 256 +
                                      static_cast<unsigned char>((*bytes)[1]));
  }

  void take_unicode() {
    const auto first = four_digits();
    if (!first) return;
    std::uint32_t code = *first;
    if (code >= 0xD800 && code <= 0xDBFF && text_.substr(at_).starts_with("\\u")) {
      at_ += 2;
      const auto second = four_digits();
      if (!second) return;
      if (*second < 0xDC00 || *second > 0xDFFF) return complain("\\u escapes are not a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10) + (*second - 0xDC00);
    }
    if (code == 0) return complain("\\u0000 is not allowed");
    if (code >= 0xD800 && code <= 0xDFFF) return complain("\\u escape is half of a surrogate pair");
    append_utf8(out_, code);
  }

  void take_variable() {
    const auto end = text_.find('}', at_);
    if (end == std::string_view::npos) {
      complain("\"${\" without \"}\"");
      at_ = text_.size();
      return;
    }
    const std::string variable(text_.substr(at_ + 2, end - at_ - 2));
    at_ = end + 1;
    if (const auto found = variables_(variable))
      out_ += *found;
    else
      complain(fmt::format("environment variable \"{}\" is not set", escape_control(variable)));
  }

  std::string_view text_;
  const environment& variables_;
  std::size_t at_ = 0;
  std::size_t escaped_until_ = 0;
  std::string out_, problem_;
};

void parse_logical_line(const std::string& text, int line, const environment& variables, java_file& file) {
  unescaper reader(text, variables);
  java_property property{line, reader.name(), {}};
  reader.skip_separator();
  property.value = reader.value();
  if (property.name.empty()) {
    file.problems.push_back({line, "", "a name was expected before the separator"});
  } else if (!reader.problem().empty()) {
    file.problems.push_back({line, property.name, reader.problem()});
  } else if (property.value.find('\0') != std::string::npos) {
    file.problems.push_back({line, property.name, "the value holds a zero byte"});
  } else {
    file.properties.push_back(std::move(property));
  }
}

}  // namespace

std::optional<std::string> process_environment(const std::string& name) {
  if (name.empty() || name.find('\0') != std::string::npos) return std::nullopt;
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

java_file parse_java_properties(std::string_view content, const environment& variables) {
  java_file file;
  if (content.starts_with("\xEF\xBB\xBF")) content.remove_prefix(3);  // editors of some systems put a mark there
  int line_number = 0;
  while (!content.empty()) {
    std::string_view line = without_leading_blanks(take_line(content));
    const int first = ++line_number;
    if (!is_utf8(line)) {
      file.problems.push_back({first, "", "the line is not valid UTF-8"});
      continue;
    }
    if (line.empty() || line[0] == '#' || line[0] == '!') continue;
    std::string logical(line);
    bool valid = true;
    while (continues(logical) && !content.empty()) {
      logical.pop_back();
      line = without_leading_blanks(take_line(content));
      ++line_number;
      if (!is_utf8(line)) {
        file.problems.push_back({line_number, "", "the line is not valid UTF-8"});
        valid = false;
      }
      logical += line;
      if (line.empty()) break;
    }
    if (valid) parse_logical_line(logical, first, variables, file);
  }
  return file;
}

std::string escape_java_value(std::string_view value) {
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (c == '\\')
      out += "\\\\";
    else if (c == '\n')
      out += "\\n";
    else if (c == '\r')
      out += "\\r";
    else if (c == '\t')
      out += "\\t";
    else if (c == '\f')
      out += "\\f";
    else if (c == '$' && value.substr(i).starts_with("${"))
      out += "\\$";
    else if (c == ' ' && i == 0)
      out += "\\ ";
    else
      out += c;
  }
  return out;
}

}  // namespace baton
