#include "common/messages/message.hpp"

#include <fmt/args.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <cctype>
#include <set>

using namespace baton;

namespace {

std::size_t count_inserts(std::string_view text) {
  std::size_t found = 0;
  for (std::size_t at = text.find("{}"); at != std::string_view::npos; at = text.find("{}", at + 2)) ++found;
  return found;
}

// The text with "x0", "x1", ... put in; throws when it asks for more or is no format.
std::string rendered(const message& m, std::size_t inserts) {
  std::vector<std::string> values;
  for (std::size_t i = 0; i < inserts; ++i) values.push_back("<x" + std::to_string(i) + ">");
  fmt::dynamic_format_arg_store<fmt::format_context> store;
  for (const auto& value : values) store.push_back(value);
  return fmt::vformat(m.text, store);
}

bool well_formed(std::string_view id) {
  if (id.size() != 10 || !id.starts_with("BFG")) return false;
  for (std::size_t i = 3; i < 5; ++i)
    if (std::isupper(static_cast<unsigned char>(id[i])) == 0) return false;
  for (std::size_t i = 5; i < 9; ++i)
    if (std::isdigit(static_cast<unsigned char>(id[i])) == 0) return false;
  return id[9] == 'I' || id[9] == 'W' || id[9] == 'E';
}

// A message may end with what it is about: an insert, or a colon before it.
bool ends_well(std::string_view text) {
  return text.ends_with('.') || text.ends_with("{}");
}

}  // namespace

TEST_CASE("message ids are well formed and unique") {
  std::set<std::string_view> ids, numbers;
  for (const message* m : all_messages()) {
    INFO(m->id);
    CHECK(well_formed(m->id));
    CHECK(ids.insert(m->id).second);
    CHECK(numbers.insert(m->id.substr(0, 9)).second);  // one number does not have two severities
    CHECK(m->severity() == m->id.back());
  }
  CHECK(ids.size() > 50);
}

TEST_CASE("every message renders with as many inserts as it has places") {
  for (const message* m : all_messages()) {
    INFO(m->id << " " << m->text);
    const std::size_t places = count_inserts(m->text);
    std::string text;
    REQUIRE_NOTHROW(text = rendered(*m, places));
    for (std::size_t i = 0; i < places; ++i) CHECK(text.find("<x" + std::to_string(i) + ">") != std::string::npos);
    CHECK(text.find_first_of("{}") == std::string::npos);
    if (places > 0) CHECK_THROWS_AS(rendered(*m, places - 1), fmt::format_error);
  }
}

TEST_CASE("no part of a message is empty and sentences end") {
  for (const message* m : all_messages()) {
    INFO(m->id);
    CHECK_FALSE(m->text.empty());
    CHECK_FALSE(m->explanation.empty());
    CHECK_FALSE(m->response.empty());
    INFO("text: " << m->text);
    CHECK(ends_well(m->text));
    INFO("explanation: " << m->explanation);
    CHECK(m->explanation.ends_with('.'));
    INFO("response: " << m->response);
    CHECK(m->response.ends_with('.'));
  }
}

TEST_CASE("the catalogue is sorted by id") {
  const auto all = all_messages();
  CHECK(std::is_sorted(all.begin(), all.end(), [](const message* a, const message* b) { return a->id < b->id; }));
}

TEST_CASE("a rendered message starts with its id") {
  CHECK(render(messages::BFGAG0059I, "SRC") == "BFGAG0059I: The agent SRC has been successfully started.");
  CHECK(render_text(messages::BFGAG0059I, "SRC") == "The agent SRC has been successfully started.");
}

TEST_CASE("braces in an insert are left alone") {
  CHECK(render_text(messages::BFGIO0001E, "{0}{") == "File {0}{ does not exist.");
}
