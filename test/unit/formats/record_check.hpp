// What holds for every JSON record: it comes back as it was written, and what cannot be read is refused by its path.
#pragma once

#include <catch2/catch.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "common/result.hpp"
#include "test/unit/seed.hpp"

namespace baton::test {

using nlohmann::json;

struct anything {
  template <class T>
  operator T() const;  // NOLINT: meant to convert; never called
};

// How many members an aggregate has.
template <class T, class... Members>
constexpr std::size_t count_members(Members... members) {
  if constexpr (requires { T{members..., anything{}}; })
    return count_members<T>(members..., anything{});
  else
    return sizeof...(members);
}

// Calls `on` with the JSON pointer of each member at any depth.
inline void each_member(const json& value, const std::string& path, const std::function<void(const std::string&)>& on) {
  if (!path.empty()) on(path);
  if (value.is_object()) {
    for (const auto& [key, entry] : value.items()) {
      if (path.empty() && key == "version") continue;
      each_member(entry, path + "/" + key, on);
    }
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) each_member(value[i], path + "/" + std::to_string(i), on);
  }
}

// Values that a member may not have.
inline std::vector<json> wrong_for(const json& value) {
  if (value.is_string()) return {7, nullptr, json::array(), json::object(), true};
  if (value.is_boolean()) return {1, "true", nullptr};
  if (value.is_number()) return {"7", 1.5, nullptr, true, json::array()};
  if (value.is_array()) return {json::object(), "text", 1, nullptr};
  return {json::array(), "text", 1, nullptr};
}

template <class T>
using record_reader = result<T> (*)(const std::string&);

template <class T>
void check_round_trip(const T& sample, record_reader<T> read, std::size_t members = count_members<T>()) {
  const std::string text = to_json(sample);
  const json written = json::parse(text);
  INFO(text);
  CHECK(written.size() == members + 1);  // every member, and the version
  CHECK(written["version"] == 1);
  const auto again = read(text);
  REQUIRE(again.ok());
  CHECK(to_json(*again) == text);
  CHECK(text != to_json(T{}));
}

// `identity`: the members without which the record is nobody's; any other may be missing.
template <class T>
void check_other_versions(const T& sample, record_reader<T> read, const std::vector<std::string>& identity) {
  json changed = json::parse(to_json(sample));
  changed["a member of later"] = {{"with", {"anything", 1, nullptr}}};
  const auto newer = read(changed.dump());
  REQUIRE(newer.ok());
  CHECK(to_json(*newer) == to_json(sample));
  json least = json::object();
  json all_but_one = json::parse(to_json(sample));
  for (const std::string& key : identity) {
    least[key] = all_but_one[key];
    const json without = std::exchange(all_but_one[key], "");
    const auto nobodys = read(all_but_one.dump());
    REQUIRE_FALSE(nobodys.ok());
    CHECK_THAT(nobodys.error().text, Catch::Contains("/" + key + ": ") && Catch::Contains("a text that is not empty"));
    all_but_one[key] = without;
  }
  CHECK(read(least.dump()).ok());
  changed["version"] = 2;
  const auto refused = read(changed.dump());
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == errc::bad_message);
  CHECK_THAT(refused.error().text, Catch::Contains("version 2"));
}

template <class T>
void check_wrong_members(const T& sample, record_reader<T> read) {
  const json good = json::parse(to_json(sample));
  each_member(good, "", [&](const std::string& path) {
    for (const json& wrong : wrong_for(good[json::json_pointer(path)])) {
      json bad = good;
      bad[json::json_pointer(path)] = wrong;
      INFO(path << " = " << wrong);
      const auto refused = read(bad.dump());
      REQUIRE_FALSE(refused.ok());
      CHECK(refused.error().code == errc::bad_message);
      CHECK_THAT(refused.error().text, Catch::Contains(path + ":"));
    }
  });
}

// A number is read as it is or refused, never cut to the size of its member.
template <class T>
void check_number_ranges(const T& sample, record_reader<T> read) {
  const json good = json::parse(to_json(sample));
  each_member(good, "", [&](const std::string& path) {
    if (!good[json::json_pointer(path)].is_number()) return;
    for (const json& extreme : {json(UINT64_MAX), json(INT64_MIN), json(std::int64_t{1} << 32), json(-1)}) {
      json changed = good;
      changed[json::json_pointer(path)] = extreme;
      INFO(path << " = " << extreme);
      const auto got = read(changed.dump());
      if (got)
        CHECK(json::parse(to_json(*got))[json::json_pointer(path)] == extreme);
      else
        CHECK_THAT(got.error().text, Catch::Contains(path + ":"));
    }
  });
}

template <class T>
void check_damaged(const T& sample, record_reader<T> read) {
  BATON_SEEDED(random);
  const std::string good = to_json(sample);
  for (const char* text : {"", " ", "null", "[]", "7", "\"{}\"", "{", "{}{}"}) CHECK_FALSE(read(text).ok());
  for (int i = 0; i < 2000; ++i) {
    std::string text = mutated(random, good);
    for (std::size_t more = below(random, 3); more > 0; --more) text = mutated(random, text);
    const auto got = read(text);
    if (got)
      (void)to_json(*got);
    else
      REQUIRE_FALSE(got.error().text.empty());
  }
}

template <class T>
void check_record(const T& sample, record_reader<T> read, const std::vector<std::string>& identity = {},
                  std::size_t members = count_members<T>()) {
  check_round_trip(sample, read, members);
  check_other_versions(sample, read, identity);
  check_wrong_members(sample, read);
  check_number_ranges(sample, read);
  check_damaged(sample, read);
}

}  // namespace baton::test
