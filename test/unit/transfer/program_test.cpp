#include "agent/transfer/program.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <thread>

#include "common/loop.hpp"
#include "test/properties/temporary.hpp"

using namespace baton;
using transfer::find_program;
using transfer::run_program;
namespace fs = std::filesystem;

namespace {

class programs {
 public:
  programs() {
    limits.path = {where_.path() / "bin"};
    limits.wait_ms = 20000;
    fs::create_directory(where_.path() / "bin");
  }
  void make(const std::string& name, const std::string& script, bool executable = true) {
    std::ofstream(where_.path() / name) << "#!/bin/sh\n" << script << "\n";
    if (executable) fs::permissions(where_.path() / name, fs::perms::owner_all);
  }
  transfer::program_end run(const std::string& command, std::vector<std::string> arguments = {},
                            const std::string& success = "0") {
    return run_program({command, std::move(arguments), 0, 0, success}, limits, {{"BATON_JOB_NAME", "nightly"}},
                       stopped);
  }
  std::string find(const std::string& command) {
    why.clear();
    return find_program(command, limits.path, why);
  }
  fs::path path(const std::string& name) const { return where_.path() / name; }

  agent::program_settings limits;
  std::atomic<bool> stopped = false;
  std::string why;

 private:
  test::temporary_directory where_;
};

}  // namespace

TEST_CASE("program: only what is below commandPath is found") {
  programs p;
  p.make("bin/good", "exit 0");
  p.make("outside", "exit 0");
  p.make("bin/text", "exit 0", false);
  fs::create_symlink(p.path("outside"), p.path("bin/link"));
  CHECK(p.find("good") == fs::canonical(p.path("bin/good")));
  CHECK(p.find(p.path("bin/good")) == fs::canonical(p.path("bin/good")));
  for (const char* bad : {"../outside", "link", "missing", ".", "../bin"}) {
    CHECK(p.find(bad).empty());
    CHECK_FALSE(p.why.empty());
  }
  CHECK(p.find(p.path("outside")).empty());
  CHECK(p.find("text").empty());
  CHECK(p.why == "it is not an executable file");
  p.limits.path.clear();
  CHECK(p.find("good").empty());
  CHECK(p.why == "commandPath is empty");
}

TEST_CASE("program: arguments, environment, exit code and output") {
  programs p;
  p.make("bin/tell", "echo \"$1|$2|$BATON_JOB_NAME\"; echo trouble >&2; exit 7");
  const auto end = p.run("tell", {"a b", "$(c)"});
  CHECK_FALSE(end.success);
  CHECK(end.how == "ended with exit code 7");
  CHECK_THAT(end.failure, Catch::Contains("tell ended with exit code 7") && Catch::Contains("a b|$(c)|nightly") &&
                              Catch::Contains("trouble"));
  CHECK(p.run("tell", {}, ">6&<8").success);
  CHECK_THAT(p.run("missing").failure, Catch::Contains("missing cannot be run"));
  CHECK(p.run("missing").how.empty());
}

TEST_CASE("program: much output is cut, and nobody waits for what was left running") {
  programs p;
  p.limits.output_max = 100;
  p.make("bin/chatter", "yes | head -c 1000000; sleep 1000 & exit 1");
  const auto end = p.run("chatter");
  CHECK(end.how == "ended with exit code 1");
  CHECK(end.failure.size() < 500);
}

TEST_CASE("program: one that takes too long, or has to stop, ends with all that it started") {
  programs p;
  p.make("bin/long", "sleep 1000 & echo $! > " + p.path("child").native() + "; wait");
  bool by_time = GENERATE(true, false);
  std::thread stopper;
  if (by_time)
    p.limits.wait_ms = 300;
  else
    stopper = std::thread([&] {
      while (!fs::exists(p.path("child"))) std::this_thread::yield();
      p.stopped = true;
    });
  const auto end = p.run("long");
  if (stopper.joinable()) stopper.join();
  CHECK_FALSE(end.success);
  CHECK_THAT(end.how, Catch::StartsWith("was stopped"));
  pid_t child = 0;
  std::ifstream(p.path("child")) >> child;
  REQUIRE(child > 0);
  // It may take a moment until init has reaped it.
  const auto gone = [&] {
    std::string word, state;
    std::ifstream in("/proc/" + std::to_string(child) + "/stat");
    in >> word >> word >> state;
    return state.empty() || state == "Z";
  };
  const std::int64_t end_ms = boot_time_ms() + 20000;
  while (!gone() && boot_time_ms() < end_ms) std::this_thread::yield();
  CHECK(gone());
}
