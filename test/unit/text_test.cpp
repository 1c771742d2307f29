#include "common/text.hpp"

#include <catch2/catch.hpp>

#include "common/random.hpp"
#include "test/unit/seed.hpp"

using namespace baton;

namespace {

bool is_plain_text(const std::string& text) {
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x20 || code == 0x7F) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("a name of ordinary characters is its own text") {
  for (const char* name : {"", "a.txt", "with space", "-leading", "gr\xC3\xBC\xC3\x9F", "\xF0\x9F\x9A\x80.log"}) {
    CHECK(name_to_text(name) == name);
    CHECK(text_to_name(name) == std::string(name));
  }
}

TEST_CASE("bytes that are no text are escaped in a name") {
  CHECK(name_to_text("50%") == "50%25");
  CHECK(name_to_text("a\nb\x7F") == "a%0Ab%7F");
  CHECK(name_to_text("\xFF\xFE") == "%FF%FE");
  CHECK(name_to_text("\xC0\xAF") == "%C0%AF");         // overlong
  CHECK(name_to_text("\xED\xA0\x80") == "%ED%A0%80");  // a surrogate
  CHECK(name_to_text("\xF4\x90\x80\x80") == "%F4%90%80%80");
  CHECK(name_to_text("\xE2\x82") == "%E2%82");  // cut short
}

TEST_CASE("a name of any bytes comes back from its text") {
  BATON_SEEDED(random);
  for (int i = 0; i < 20000; ++i) {
    const std::string name = test::random_bytes(random, test::below(random, 40));
    const std::string text = name_to_text(name);
    INFO("name " << to_hex(name) << " text " << text);
    REQUIRE(is_plain_text(text));
    REQUIRE(text_to_name(text) == name);
  }
}

TEST_CASE("a text with broken escapes is no name") {
  for (const char* text : {"%", "%4", "a%", "%G0", "%0G", "%%41"}) CHECK_FALSE(text_to_name(text).has_value());
  CHECK(text_to_name("%41%c3%BC") == "A\xC3\xBC");
}

TEST_CASE("control characters are escaped for logs") {
  CHECK(escape_control("a\nb\rc\td\x1B[31m\x7F") == "a\\nb\\rc\\td\\x1b[31m\\x7f");
  CHECK(escape_control(std::string("\0", 1)) == "\\x00");
  CHECK(escape_control("gr\xC3\xBC\xC3\x9F") == "gr\xC3\xBC\xC3\x9F");
}

TEST_CASE("hex round trip") {
  BATON_SEEDED(random);
  for (int i = 0; i < 100; ++i) {
    const std::string bytes = test::random_bytes(random, test::below(random, 50));
    CHECK(from_hex(to_hex(bytes)) == bytes);
    CHECK(from_hex(upper(to_hex(bytes))) == bytes);
  }
  CHECK_FALSE(from_hex("abc").has_value());
  CHECK_FALSE(from_hex("zz").has_value());
}

TEST_CASE("random identifiers have the asked length and differ") {
  CHECK(random_hex(24).size() == 48);
  CHECK(random_hex(24) != random_hex(24));
  CHECK(from_hex(random_hex(8)).has_value());
}

TEST_CASE("sizes and durations for people") {
  CHECK(human_bytes(0) == "0 B");
  CHECK(human_bytes(1023) == "1023 B");
  CHECK(human_bytes(1024) == "1.0 KiB");
  CHECK(human_bytes(1610612736) == "1.5 GiB");
  CHECK(human_bytes(UINT64_MAX) == "16.0 EiB");
  CHECK(human_duration_ms(0) == "0 ms");
  CHECK(human_duration_ms(12300) == "12.3 s");
  CHECK(human_duration_ms(62000) == "1m02s");
  CHECK(human_duration_ms(3720000) == "1h02m");
}

TEST_CASE("splitting trimming and upper case") {
  CHECK(split("", ',').empty());
  CHECK(split("a", ',') == std::vector<std::string>{"a"});
  CHECK(split(",a,,b,", ',') == std::vector<std::string>{"", "a", "", "b", ""});
  CHECK(trim(" \t a b \r\n") == "a b");
  CHECK(trim(" \t").empty());
  CHECK(upper("aB9-\xC3\xBC") == "AB9-\xC3\xBC");
}

TEST_CASE("wildcards match whole names") {
  CHECK(wildcard_match("*", ""));
  CHECK(wildcard_match("*.txt", "a.txt"));
  CHECK_FALSE(wildcard_match("*.txt", "a.txt.bak"));
  CHECK(wildcard_match("a?c", "abc"));
  CHECK_FALSE(wildcard_match("a?c", "ac"));
  CHECK(wildcard_match("*a*b*", "xxaxxbxx"));
  CHECK_FALSE(wildcard_match("", "a"));
  CHECK(wildcard_match("a*", "a*"));
  CHECK_FALSE(wildcard_match("*aab", "aaaa"));
  CHECK(wildcard_match("*aab", "aaaab"));
}

TEST_CASE("a pattern made for long back-tracking is matched at once") {
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "*a";
  CHECK_FALSE(wildcard_match(pattern + "b", std::string(2000, 'a')));
}
