#include "properties/pid_file.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>

#include "properties/atomic_file.hpp"
#include "temporary.hpp"

using namespace baton;

TEST_CASE("pid file: one holder at a time, and what a killed process left behind does not count") {
  const test::temporary_directory directory;
  const auto path = directory.path() / "x/agent.pid";
  CHECK_FALSE(pid_file_holder(path).has_value());
  {
    const auto held = pid_file::acquire(path);
    REQUIRE(held.ok());
    CHECK(pid_file_holder(path) == getpid());
    CHECK(pid_file::acquire(path).error().code == errc::in_use);
  }
  CHECK_FALSE(std::filesystem::exists(path));
  REQUIRE(write_file_atomically(path, "1\n").ok());
  CHECK_FALSE(pid_file_holder(path).has_value());
  CHECK(pid_file::acquire(path).ok());
}
