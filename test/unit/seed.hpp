// Random test data with a seed that is printed when a check fails; BATON_TEST_SEED repeats a run.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace baton::test {

using generator = std::mt19937_64;

inline std::uint64_t seed() {
  static const std::uint64_t chosen = [] {
    const char* given = std::getenv("BATON_TEST_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 10) : std::uint64_t{std::random_device{}()};
  }();
  return chosen;
}

inline std::size_t below(generator& random, std::size_t limit) {
  return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
}

inline std::string random_bytes(generator& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random() & 0xFF);
  return bytes;
}

// The text with one damage: a byte changed, a piece cut out or doubled, or the end cut off.
inline std::string mutated(generator& random, std::string text) {
  if (text.empty()) return text;
  const std::size_t at = below(random, text.size());
  switch (below(random, 5)) {
    case 0:
      text[at] = static_cast<char>(random() & 0xFF);
      break;
    case 1:
      text.resize(at);
      break;
    case 2:
      text.erase(at, 1 + below(random, 8));
      break;
    case 3:
      text.insert(at, text.substr(at, 1 + below(random, 8)));
      break;
    default:
      text[at] = static_cast<char>(text[at] ^ (1 << below(random, 8)));
  }
  return text;
}

}  // namespace baton::test

#define BATON_SEEDED(name)                                     \
  INFO("repeat with BATON_TEST_SEED=" << baton::test::seed()); \
  baton::test::generator name(baton::test::seed())
