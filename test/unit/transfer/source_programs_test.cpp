// A program at one end of a transfer: when it may be run, and what the record says before and after.
#include "agent/transfer/source_programs.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>

#include "test/properties/temporary.hpp"
#include "test/unit/transfer/fake_agent.hpp"

using namespace baton;
using namespace baton::test;
namespace fs = std::filesystem;

namespace {

class one_program {
 public:
  one_program() {
    agent.change_settings().programs.path = {where_.path()};
    std::ofstream(where_.path() / "mark") << "#!/bin/sh\necho run >> \"$1\"\n";
    fs::permissions(where_.path() / "mark", fs::perms::owner_all);
    auto request = std::make_shared<formats::transfer_request>();
    request->pre_source.command = "mark";
    request->pre_source.arguments = {marks().string()};
    request_ = std::move(request);
  }
  // By a new activation, which has only the record.
  void run() {
    ended.reset();
    programs_ = std::make_shared<transfer::source_programs>(
        agent, runner_, request_, record,
        [this](transfer::services::stored done) { agent.save(record, std::move(done)); });
    programs_->run(transfer::source_programs::point::pre_source, [this](const std::string& why) { ended = why; });
  }
  bool wait_for_end() {
    return agent.loop().run_until([this] { return ended.has_value(); }, 10000);
  }
  bool is_run_within_a_moment() {
    return agent.loop().run_until([this] { return times_run() > 0; }, 200);
  }
  std::size_t times_run() const {
    std::ifstream in(marks());
    return static_cast<std::size_t>(std::count(std::istreambuf_iterator<char>(in), {}, '\n'));
  }

  fake_agent agent;
  formats::source_record record;
  std::optional<std::string> ended;

 private:
  fs::path marks() const { return where_.path() / "marks"; }

  temporary_directory where_;
  transfer::program_runner runner_{agent};
  std::shared_ptr<const formats::transfer_request> request_;
  std::shared_ptr<transfer::source_programs> programs_;
};

}  // namespace

TEST_CASE("a program is not run before the record says that it has begun") {
  one_program p;
  p.agent.slow = true;
  p.run();
  REQUIRE(p.agent.unsettled.size() == 1);
  CHECK(p.agent.saved->programs.at("preSource") == "begun");
  CHECK_FALSE(p.is_run_within_a_moment());
  p.agent.slow = false;
  p.agent.unsettled[0](true);
  REQUIRE(p.wait_for_end());
  CHECK(p.ended->empty());
  CHECK(p.times_run() == 1);
  CHECK(p.agent.saved->programs.at("preSource") == "succeeded");
  p.run();
  REQUIRE(p.wait_for_end());
  CHECK(p.ended->empty());
  CHECK(p.times_run() == 1);
}

TEST_CASE("a program is not run when the queue manager keeps no record of it") {
  one_program p;
  p.agent.keeps = false;
  p.run();
  REQUIRE(p.wait_for_end());
  CHECK_THAT(*p.ended, Catch::Contains("BFGTR0040E"));
  CHECK(p.times_run() == 0);
}

TEST_CASE("a program whose end did not come into the record is not run again, and its outcome is not known") {
  one_program p;
  p.run();
  REQUIRE(p.agent.loop().run_until([&] { return p.agent.records.size() == 2; }, 10000));
  p.record = p.agent.records[0];  // what the next activation finds
  p.run();
  REQUIRE(p.wait_for_end());
  CHECK_THAT(*p.ended, Catch::Contains("BFGTR0042E"));
  CHECK(p.times_run() == 1);
}

TEST_CASE("a program is not run while an older lease may hold") {
  one_program p;
  p.agent.unfenced_from = boot_time_ms() + 100000;
  p.run();
  CHECK_FALSE(p.is_run_within_a_moment());
  CHECK(p.agent.records.empty());
}
