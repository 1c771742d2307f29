#include "properties/credentials.hpp"

#include <catch2/catch.hpp>

#include "properties/atomic_file.hpp"
#include "properties/obfuscation.hpp"
#include "temporary.hpp"

using namespace baton;

namespace {

constexpr const char* xml =
    "<tns:mqmftCredentials xmlns:tns=\"http://wmqfte.ibm.com/MQMFTCredentials\">\n"
    "  <tns:qmgr name=\"QM1\" mqUserId=\"app\" mqPassword=\"s&amp;cret\"/>\n"
    "  <tns:qmgr name=\"QM2\" user=\"somebody-else\" mqUserId=\"x\" mqPassword=\"y\"/>\n"
    "</tns:mqmftCredentials>\n";

}  // namespace

TEST_CASE("credentials: the entry of a queue manager is found, case of its name aside") {
  const test::temporary_directory directory;
  const auto file = directory.path() / "c.xml";
  REQUIRE(write_file_atomically(file, xml, 0600).ok());
  const auto found = read_credentials(file, "qm1");
  REQUIRE(found.ok());
  CHECK(found->user == "app");
  CHECK(found->password == "s&cret");
  CHECK(read_credentials(file, "QM2").error().code == errc::not_found);
  CHECK(read_credentials(file, "QM3").error().code == errc::not_found);
}

TEST_CASE("credentials: a file that others may read is refused") {
  const test::temporary_directory directory;
  const auto file = directory.path() / "c.xml";
  REQUIRE(write_file_atomically(file, xml, 0640).ok());
  const auto found = read_credentials(file, "QM1");
  REQUIRE_FALSE(found.ok());
  CHECK(found.error().code == errc::not_permitted);
  CHECK(found.error().text.find("chmod 600") != std::string::npos);
}

TEST_CASE("credentials: what is not such a file is refused, not guessed at") {
  const test::temporary_directory directory;
  const auto file = directory.path() / "c.xml";
  for (const char* bad : {"", "<", "<a/>", "agentName=x", "<tns:mqmftCredentials>"}) {
    INFO(bad);
    REQUIRE(write_file_atomically(file, bad, 0600).ok());
    CHECK_FALSE(read_credentials(file, "QM1").ok());
  }
}

TEST_CASE("credentials: obfuscated with the built-in key or with a key file, they are read back") {
  const test::temporary_directory directory;
  const auto file = directory.path() / "c.xml", key = directory.path() / "key";
  REQUIRE(write_file_atomically(key, "my own key\n", 0600).ok());
  for (const auto& key_file : {std::filesystem::path(), key}) {
    REQUIRE(write_file_atomically(file, xml, 0600).ok());
    const auto hidden = obfuscated_credentials(file, key_file);
    REQUIRE(hidden.ok());
    CHECK(hidden->find("cret") == std::string::npos);
    REQUIRE(write_file_atomically(file, *hidden, 0600).ok());
    CHECK(read_credentials(file, "QM1")->password == "s&cret");
    CHECK(*obfuscated_credentials(file, key_file) == *hidden);
  }
  REQUIRE(write_file_atomically(key, "another key\n", 0600).ok());
  CHECK(read_credentials(file, "QM1").error().code == errc::not_permitted);
}

TEST_CASE("obfuscation: the same text looks different each time") {
  const std::string secret_key = obfuscation_key("k");
  CHECK(*obfuscate("a", secret_key) != *obfuscate("a", secret_key));
  CHECK(*reveal(*obfuscate("", secret_key), secret_key) == "");
}
