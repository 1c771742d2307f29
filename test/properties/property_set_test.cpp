#include "properties/property_set.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "properties/write.hpp"
#include "temporary.hpp"

using namespace baton;

namespace {

constexpr const char* minimal = "agentName=src\nagentQMgr=qm1\n";

property_read agent(const std::string& more) {
  return property_set::parse(minimal + more, "agent.properties", agent_properties());
}

}  // namespace

TEST_CASE("property set: defaults and set values") {
  const auto read = agent("agentChunkSize=65536\nmaxRestartDelay=-1\nfailTransferOnFirstFailure=TRUE\n");
  REQUIRE(read.errors.empty());
  const auto& p = read.values;
  CHECK(p.text("agentName") == "SRC");
  CHECK(p.text("agentQMgr") == "QM1");
  CHECK(p.integer("agentChunkSize") == 65536);
  CHECK(p.is_set("agentChunkSize"));
  CHECK(p.integer("agentWindowSize") == 16);
  CHECK_FALSE(p.is_set("agentWindowSize"));
  CHECK(p.milliseconds("agentQMgrIdleTimeout") == 8000);
  CHECK(p.milliseconds("agentQMgrRetryInterval") == 30000);
  CHECK(p.seconds("maxRestartDelay") == -1);
  CHECK(p.milliseconds("maxRestartDelay") == -1);
  CHECK(p.boolean("failTransferOnFirstFailure"));
  CHECK(p.text("agentType") == "STANDARD");
  CHECK(p.text("agentQMgrHost").empty());
}

TEST_CASE("property set: every error is reported, with file, line, name, expected and found") {
  const auto read = agent("agentChunkSize=12\nagentQMgrPort=many\nfailTransferOnFirstFailure=yes\nagentType=BRIDGE\n");
  REQUIRE(read.errors.size() == 4);
  CHECK(read.errors[0] ==
        "agent.properties:3: agentChunkSize: expected a number of bytes, 4096 to 16777216, found \"12\"");
  CHECK(read.errors[1] == "agent.properties:4: agentQMgrPort: expected a number, 1 to 65535, found \"many\"");
  CHECK(read.errors[2] == "agent.properties:5: failTransferOnFirstFailure: expected true or false, found \"yes\"");
  CHECK(read.errors[3] == "agent.properties:6: agentType: expected STANDARD, found \"BRIDGE\"");
  CHECK(read.failure().code == errc::bad_property);
}

TEST_CASE("property set: numbers have no room for anything else") {
  for (const char* bad : {"", "1e3", "10k", "0x10", "99999999999999999999", "5 5", "--1", "+5", "1.0"}) {
    INFO(bad);
    CHECK(agent(std::string("agentWindowSize=") + bad + "\n").errors.size() == 1);
  }
  CHECK(agent("agentWindowSize= 7 \n").errors.empty());
}

TEST_CASE("property set: a required property that is missing is an error, one that is wrong is one error") {
  auto read = property_set::parse("agentName=a\n", "f", agent_properties());
  REQUIRE(read.errors.size() == 1);
  CHECK(read.errors[0] == "f: agentQMgr: is missing, and has no default");
  read = property_set::parse("agentName=a b\nagentQMgr=q\n", "f", agent_properties());
  CHECK(read.errors.size() == 1);
}

TEST_CASE("property set: unknown names, names of IBM MFT and repeated names are warnings") {
  const auto read = agent("agentChunksize=1\nsandboxRoot=x\nzzzzzz=1\nagentWindowSize=2\nagentWindowSize=3\n");
  REQUIRE(read.errors.empty());
  REQUIRE(read.warnings.size() == 4);
  CHECK(read.warnings[0].find("Did you mean agentChunkSize?") != std::string::npos);
  CHECK(read.warnings[1].find("is a property of IBM MFT that Baton does not have") != std::string::npos);
  CHECK(read.warnings[2].find("Did you mean") == std::string::npos);
  CHECK(read.warnings[3].find("more than once") != std::string::npos);
  CHECK(read.values.integer("agentWindowSize") == 3);
}

TEST_CASE("property set: files that cannot be read say why") {
  const test::temporary_directory directory;
  auto read = property_set::read(directory.path() / "none", agent_properties());
  CHECK(read.missing);
  REQUIRE(read.errors.size() == 1);
  CHECK(read.errors[0].find("No such file") != std::string::npos);
  CHECK(read.failure().code == errc::not_found);
  read = property_set::read(directory.path(), agent_properties());
  CHECK_FALSE(read.missing);
  CHECK(read.errors.size() == 1);
}

TEST_CASE("property set: what is written is read back, and a sample has no effect") {
  const test::temporary_directory directory;
  const auto file = directory.path() / "deep/er/agent.properties";
  const std::map<std::string, std::string> values{
      {"agentName", "A"}, {"agentQMgr", "Q"}, {"agentDesc", " two\nlines ${HOME}"}};
  REQUIRE(write_properties(file, agent_properties(), values).ok());
  const auto read = property_set::read(file, agent_properties());
  REQUIRE(read.errors.empty());
  CHECK(read.warnings.empty());
  CHECK(read.values.text("agentName") == "A");
  for (const property_table* table : all_property_tables()) {
    const auto sample = property_set::parse(sample_text(*table), "sample", *table);
    CHECK(sample.warnings.empty());
    for (const property& p : table->entries) CHECK_FALSE(sample.values.is_set(p.name));
  }
}
