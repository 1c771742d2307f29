#include "common/amqp/admin_script.hpp"

#include <fmt/format.h>

namespace baton::amqp {
namespace {

bool unreserved(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_';
}

}  // namespace

std::string admin_script_head(std::string_view prefix, std::string_view url, std::string_view user,
                              std::string_view header) {
  return fmt::format(
      "# {0}_USER and {0}_PASSWORD say who does it; without them it is {2}.\n"
      "url=${{{0}_URL:-{1}}}\n"
      "call() {{\n"
      "  printf 'user = \"%s:%s\"\\n' \"${{{0}_USER:-{2}}}\" \"${{{0}_PASSWORD:-{2}}}\" |\n"
      "    curl --silent --show-error --fail --config - --header 'content-type: application/json'{3} \"$@\"\n"
      "}}\n",
      prefix, url, user, header.empty() ? std::string() : fmt::format(" --header \"{}\"", header));
}

std::string admin_script_gone() {
  return "gone() {\n"
         "  code=$(call --output /dev/null --write-out '%{http_code}' --request DELETE \"$1\" 2>/dev/null) ||\n"
         "    [ \"$code\" = 404 ] || { echo \"$1: HTTP $code\" >&2; return 1; }\n"
         "}\n";
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (unreserved(c))
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string percent_decoded(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0;
    out += escape ? static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2])) : text[i];
    if (escape) i += 2;
  }
  return out;
}

}  // namespace baton::amqp
