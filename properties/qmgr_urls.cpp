#include "properties/qmgr_urls.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "common/text.hpp"

namespace baton {
namespace {

constexpr std::size_t urls_max = 16;
constexpr std::uint16_t plain_port = 5672, tls_port = 5671;

error wrong(std::string_view url, std::string_view why) {
  // Not the URL as it stands: somebody may have put a password into it.
  const auto at = url.rfind('@');
  const std::string shown = at == std::string_view::npos ? std::string(url) : "...@" + std::string(url.substr(at + 1));
  return {errc::bad_property, fmt::format("{}: {}", escape_control(shown), why)};
}

result<std::uint16_t> parse_port(std::string_view url, std::string_view digits) {
  unsigned port = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (failure != std::errc{} || end != digits.data() + digits.size() || port == 0 || port > 65535) {
    return wrong(url, "the port is a number, 1 to 65535");
  }
  return static_cast<std::uint16_t>(port);
}

result<qmgr_url> parse_one(std::string_view url) {
  const auto colon = url.find("://");
  const std::string scheme = upper(url.substr(0, colon));
  if (scheme == "HTTP" || scheme == "HTTPS") {
    return wrong(
        url,
        "over HTTP nobody can have a queue for himself, neither the lock of instances nor one that is read with "
        "exclusive=true: expected amqp://host:port or amqps://host:port");
  }
  if (colon == std::string_view::npos || (scheme != "AMQP" && scheme != "AMQPS")) {
    return wrong(url, "expected amqp://host:port or amqps://host:port");
  }
  std::string_view rest = url.substr(colon + 3);
  if (rest.find('@') != std::string_view::npos) {
    return wrong(url, "user and password do not belong into a URL, but into the credentials file");
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#") != std::string_view::npos) return wrong(url, "there is nothing behind host and port");
  qmgr_url out;
  out.tls = scheme == "AMQPS";
  out.port = out.tls ? tls_port : plain_port;
  const bool v6 = rest.starts_with('[');
  const auto end = v6 ? rest.find(']') : rest.find(':');
  if (v6 && end == std::string_view::npos) return wrong(url, "the address has no ]");
  out.host = std::string(v6 ? rest.substr(1, end - 1) : rest.substr(0, end));
  const std::string_view behind = end == std::string_view::npos ? "" : rest.substr(end + (v6 ? 1 : 0));
  if (out.host.empty()) return wrong(url, "it names no host");
  if (out.host.find(' ') != std::string::npos) return wrong(url, "the host has a blank in it; between URLs is a comma");
  if (behind.empty()) return out;
  if (behind.front() != ':') return wrong(url, "expected : and a port behind the host");
  const auto port = parse_port(url, behind.substr(1));
  if (!port) return port.error();
  out.port = *port;
  return out;
}

}  // namespace

result<std::vector<qmgr_url>> parse_qmgr_urls(std::string_view list) {
  std::vector<qmgr_url> all;
  for (const std::string& word : split(list, ',')) {
    const std::string url = trim(word);
    if (url.empty()) return error{errc::bad_property, "an empty URL: there is one comma too many"};
    auto one = parse_one(url);
    if (!one) return one.error();
    const auto same = [&](const qmgr_url& other) { return other.host == one->host && other.port == one->port; };
    if (std::any_of(all.begin(), all.end(), same)) return wrong(url, "it is there twice");
    all.push_back(std::move(*one));
  }
  if (all.empty()) return error{errc::bad_property, "no URL"};
  if (all.size() > urls_max) return error{errc::bad_property, fmt::format("more than {} URLs", urls_max)};
  return all;
}

}  // namespace baton
