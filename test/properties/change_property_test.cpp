#include <catch2/catch.hpp>

#include <fstream>
#include <sstream>

#include "properties/write.hpp"
#include "temporary.hpp"

using namespace baton;

namespace {

std::string changed(const std::string& before, const std::string& name, const std::string& value) {
  const test::temporary_directory directory;
  const auto file = directory.path() / "agent.properties";
  std::ofstream(file) << before;
  REQUIRE(change_property(file, name, value));
  std::ostringstream after;
  after << std::ifstream(file).rdbuf();
  return after.str();
}

}  // namespace

TEST_CASE("change_property: the line is replaced, the rest stays") {
  CHECK(changed("# a comment\na=1\nb=2\n", "a", "3") == "# a comment\nb=2\na=3\n");
  CHECK(changed("b=2", "a", "x y") == "b=2\na=x y\n");
  CHECK(changed("", "a", "1") == "a=1\n");
}

TEST_CASE("change_property: continued and repeated lines of the property go whole") {
  CHECK(changed("a=1\\\n  2\\\n  3\nb=2\na: 9\n", "a", "3") == "b=2\na=3\n");
  CHECK(changed("c=1\\\\\na=2\nb=3\n", "a", "4") == "c=1\\\\\nb=3\na=4\n");
}

TEST_CASE("change_property: a file that is not there is an error") {
  const test::temporary_directory directory;
  const auto failed = change_property(directory.path() / "none", "a", "1");
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == errc::not_found);
}
