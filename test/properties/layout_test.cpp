#include "properties/layout.hpp"

#include <catch2/catch.hpp>

#include "properties/atomic_file.hpp"
#include "temporary.hpp"

using namespace baton;

TEST_CASE("layout: the data root is BFG_DATA, else .baton in the home directory") {
  setenv("BFG_DATA", "/some//where/", 1);
  CHECK(layout::from_environment()->qmgr_address("QM1") == "/some/where/qmgrs/QM1/qmgr.address");
  unsetenv("BFG_DATA");
  setenv("HOME", "/home/x", 1);
  CHECK(layout::from_environment()->root() == "/home/x/.baton");
  CHECK(layout::from_environment()->agent_logs("C", "A") == "/home/x/.baton/mqft/logs/C/agents/A/logs");
}

TEST_CASE("layout: the set of configuration is -p, else the default, else an error that says what to do") {
  const test::temporary_directory directory;
  const layout where(directory.path());
  CHECK(coordination_name(where, "").error().text.find("fteSetupCoordination") != std::string::npos);
  CHECK(coordination_name(where, "QM1").error().code == errc::not_found);
  REQUIRE(write_file_atomically(where.coordination_properties("QM1"), "coordinationQMgr=QM1\n").ok());
  CHECK(*coordination_name(where, "qm1") == "QM1");
  CHECK_FALSE(coordination_name(where, "../x").ok());
  REQUIRE(write_file_atomically(where.installation_properties(), "defaultProperties=qm1\n").ok());
  CHECK(*coordination_name(where, "") == "QM1");
  REQUIRE(write_file_atomically(where.installation_properties(), "defaultProperties=a b\n").ok());
  CHECK(coordination_name(where, "").error().code == errc::bad_property);
  CHECK(configured_coordinations(where) == std::vector<std::string>{"QM1"});
}

TEST_CASE("small files: replaced whole, read with a limit") {
  const test::temporary_directory directory;
  const auto file = directory.path() / "a/b/c";
  REQUIRE(write_file_atomically(file, "one").ok());
  REQUIRE(write_file_atomically(file, "two", 0600).ok());
  CHECK(*read_small_file(file) == "two");
  CHECK((std::filesystem::status(file).permissions() & std::filesystem::perms::others_all) ==
        std::filesystem::perms::none);
  CHECK(read_small_file(file, 2).error().code == errc::no_space);
  CHECK(read_small_file(directory.path()).error().code == errc::io);
  CHECK(std::distance(std::filesystem::directory_iterator(file.parent_path()), {}) == 1);
}
