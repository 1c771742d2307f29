#include "properties/java_format.hpp"

#include <catch2/catch.hpp>

using namespace baton;

namespace {

std::optional<std::string> variables(const std::string& name) {
  if (name == "DIR") return "/data";
  return std::nullopt;
}

java_file parse(std::string_view text) {
  return parse_java_properties(text, variables);
}

std::string value_of(std::string_view text) {
  const auto file = parse(text);
  REQUIRE(file.problems.empty());
  REQUIRE(file.properties.size() == 1);
  return file.properties[0].value;
}

}  // namespace

TEST_CASE("java format: separators are '=', ':' and blanks") {
  for (const char* text : {"a=b", "a = b", "a:b", "a : b", "a b", "  a\tb", "a=b\r\n", "a=b  "}) {
    INFO(text);
    const auto file = parse(text);
    REQUIRE(file.properties.size() == 1);
    CHECK(file.properties[0].name == "a");
    CHECK(file.properties[0].value == "b");
  }
  CHECK(value_of("a==b") == "=b");
  CHECK(value_of("a") == "");
}

TEST_CASE("java format: comments and empty lines are skipped and lines are counted") {
  const auto file = parse("# one\n! two\n\n  # three\nname=value\r\n\r\nnext:1\n");
  REQUIRE(file.properties.size() == 2);
  CHECK(file.properties[0].line == 5);
  CHECK(file.properties[1].line == 7);
}

TEST_CASE("java format: a backslash at the end continues the line") {
  CHECK(value_of("a=one, \\\n    two, \\\r\n  three") == "one, two, three");
  CHECK(value_of("a=back\\\\\n") == "back\\");
  const auto file = parse("a=1\\\n  2\nb=3\n");
  REQUIRE(file.properties.size() == 2);
  CHECK(file.properties[1].line == 3);
}

TEST_CASE("java format: escapes") {
  CHECK(value_of("a=\\t|\\n|\\r|\\\\|\\=|\\:") == "\t|\n|\r|\\|=|:");
  CHECK(value_of("a=\\u00e9\\u20AC") == "\xC3\xA9\xE2\x82\xAC");
  CHECK(value_of("a=\\ud83d\\ude00") == "\xF0\x9F\x98\x80");
  const auto file = parse("na\\ me\\=x=1");
  REQUIRE(file.properties.size() == 1);
  CHECK(file.properties[0].name == "na me=x");
}

TEST_CASE("java format: bad escapes are problems with their line") {
  for (const char* text :
       {"x=1\na=\\u12", "x=1\na=\\uXYZW", "x=1\na=\\ud83d", "x=1\na=\\u0000", "x=1\na=\\ud83d\\u0041"}) {
    INFO(text);
    const auto file = parse(text);
    REQUIRE(file.problems.size() == 1);
    CHECK(file.problems[0].line == 2);
    CHECK(file.problems[0].name == "a");
  }
}

TEST_CASE("java format: environment variables are put in, and one that is not set is a problem") {
  CHECK(value_of("a=${DIR}/x/${DIR}") == "/data/x//data");
  CHECK(value_of("a=\\${DIR}") == "${DIR}");
  CHECK(value_of("a=$DIR {DIR}") == "$DIR {DIR}");
  const auto file = parse("a=${NONE}\nb=${DIR\n");
  REQUIRE(file.problems.size() == 2);
  CHECK(file.problems[0].text == "environment variable \"NONE\" is not set");
}

TEST_CASE("java format: bytes that are not UTF-8 are a problem of their line only") {
  const auto file = parse("a=\xFF\nb=2\n");
  REQUIRE(file.problems.size() == 1);
  CHECK(file.problems[0].line == 1);
  REQUIRE(file.properties.size() == 1);
  CHECK(file.properties[0].name == "b");
}

TEST_CASE("java format: what escape writes is read back") {
  for (const std::string value :
       {" leading", "a\\b", "tab\there", "line\nend", "${DIR}", "$", "a=b:c #!", "\xC3\xA9"}) {
    INFO(value);
    CHECK(value_of("a=" + escape_java_value(value)) == value);
  }
}
