#include "properties/pid_file.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

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

TEST_CASE("pid file: a killed holder whose end takes a while is waited for") {
  const test::temporary_directory directory;
  const auto path = directory.path() / "agent.pid";
  const pid_t holder = fork();
  if (holder == 0) {
    const auto held = pid_file::acquire(path);
    // What keeps the lock for a while after the holder's end: here a child, otherwise threads that are in the kernel.
    if (fork() == 0) {
      ualarm(300000, 0);
      for (;;) pause();
    }
    kill(getpid(), SIGKILL);
  }
  siginfo_t how{};
  REQUIRE(waitid(P_PID, static_cast<id_t>(holder), &how, WEXITED | WNOWAIT) == 0);
  SECTION("by who asks") {
    CHECK_FALSE(pid_file_holder(path).has_value());
  }
  SECTION("by who wants it") {
    CHECK(pid_file::acquire(path).ok());
  }
  CHECK(waitpid(holder, nullptr, 0) == holder);
}

TEST_CASE("pid file: who looks at it is never in the way of who takes it") {
  const test::temporary_directory directory;
  const auto path = directory.path() / "agent.pid";
  std::atomic<bool> over = false;
  std::thread looks([&] {
    while (!over) (void)pid_file_holder(path);
  });
  int refused = 0;
  for (int i = 0; i < 5000; ++i) refused += pid_file::acquire(path).ok() ? 0 : 1;
  over = true;
  looks.join();
  CHECK(refused == 0);
}
