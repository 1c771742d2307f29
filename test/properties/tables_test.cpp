// The tables themselves: what a mistake in them would break.
#include <catch2/catch.hpp>
#include <set>

#include "properties/check_value.hpp"
#include "properties/names.hpp"
#include "properties/property.hpp"

using namespace baton;

TEST_CASE("tables: every default is a value that its own entry allows") {
  for (const property_table* table : all_property_tables()) {
    for (const property& p : table->entries) {
      INFO(table->file << " " << p.name);
      CHECK_FALSE(p.help.empty());
      CHECK(p.help.back() == '.');
      if (p.required) CHECK(p.default_value.empty());
      if (!p.default_value.empty()) CHECK(check_value(p, p.default_value).ok());
      const bool needs_default =
          is_number(p.type) || p.type == property_type::boolean || p.type == property_type::choice;
      if (needs_default) CHECK_FALSE(p.default_value.empty());
      if (is_number(p.type)) CHECK(p.min < p.max);
    }
  }
}

TEST_CASE("tables: names are there once, and none is both known and not yet known") {
  for (const property_table* table : all_property_tables()) {
    std::set<std::string_view> names;
    for (const property& p : table->entries) {
      INFO(p.name);
      CHECK(names.insert(p.name).second);
      CHECK_FALSE(table->is_not_yet(p.name));
    }
  }
}

TEST_CASE("names: letters, digits, dots and underscores, in upper case") {
  CHECK(*checked_agent_name("src.1_a") == "SRC.1_A");
  for (const char* bad : {"", ".", "..", ".a", "_a", "a/b", "a b", "a%", "a*", "../x", "\xC3\xA9", "a\n"}) {
    INFO(bad);
    REQUIRE_FALSE(checked_agent_name(bad).ok());
    CHECK(checked_agent_name(bad).error().code == errc::bad_usage);
    CHECK_FALSE(checked_qmgr_name(bad).ok());
  }
  CHECK(checked_agent_name(std::string(28, 'a')).ok());
  CHECK_FALSE(checked_agent_name(std::string(29, 'a')).ok());
  CHECK(checked_qmgr_name(std::string(48, 'a')).ok());
  CHECK_FALSE(checked_qmgr_name(std::string(49, 'a')).ok());
}
