// Whatever bytes a properties or credentials file holds, reading it ends, in errors or values.
#include <catch2/catch.hpp>
#include <random>

#include "properties/java_format.hpp"
#include "properties/obfuscation.hpp"
#include "properties/property_set.hpp"

using namespace baton;

namespace {

constexpr const char* seeds[] = {"agentName=SRC\nagentQMgr=QM1\nagentChunkSize=262144\n",
                                 "a=\\u00e9\\ud83d\\ude00 ${HOME} \\\n  b\n!c\n#d\n", "${${}}\\", "x : y\r\nz\\\r\n",
                                 "\xEF\xBB\xBF\x61gentName=\xC3\xA9\n"};
constexpr char pieces[] = "\\=:#! \t\r\n\f$Uu{}0dD8aZ\x80\xC3\xFF\0";

std::string mutated(std::mt19937& random) {
  std::string text = seeds[random() % std::size(seeds)];
  for (auto i = random() % 20; i > 0; --i) {
    const std::size_t at = random() % (text.size() + 1);
    if (random() % 3 == 0 && at < text.size())
      text.erase(at, 1 + random() % 3);
    else
      text.insert(at, 1, random() % 4 == 0 ? static_cast<char>(random()) : pieces[random() % (sizeof pieces)]);
  }
  return text;
}

}  // namespace

TEST_CASE("fuzz: random bytes never break the reader") {
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 20000; ++round) {
    const std::string text = mutated(random);
    INFO("text " << text);
    const auto read = property_set::parse(text, "fuzz", agent_properties());
    if (read.ok()) REQUIRE(read.values.integer("agentChunkSize") >= 4096);
  }
}

TEST_CASE("fuzz: damaged obfuscated values are refused") {
  std::mt19937 random(1);
  const std::string key = obfuscation_key("");
  const std::string good = *obfuscate("secret", key);
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = bad[at] == '0' ? '1' : '0';
    CHECK_FALSE(reveal(bad, key).ok());
    CHECK_FALSE(reveal(good.substr(0, at), key).ok());
  }
}
