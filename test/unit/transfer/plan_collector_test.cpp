#include "agent/transfer/plan_collector.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "test/properties/temporary.hpp"
#include "test/unit/transfer/fake_agent.hpp"

using namespace baton;
namespace fs = std::filesystem;

namespace {

struct collecting {
  collecting() { agent.change_settings().plan_directory = where.path() / "plans"; }

  void add(std::uint32_t number, const std::string& packed) {
    collector.add({id, check, number, 2, packed}, [this] { ++kept; });
  }
  bool until(const std::function<bool()>& done) { return agent.loop().run_until(done, 20000); }

  const std::string id = std::string(48, 'a');
  static constexpr std::uint64_t check = 7;
  test::temporary_directory where;
  test::fake_agent agent;
  transfer::plan_collector collector{agent};
  int kept = 0;
};

}  // namespace

TEST_CASE("plan_collector: parts in any order make the file") {
  collecting c;
  bool complete = false;
  const std::string first(formats::plan_part_bytes, '1');
  c.collector.want(c.id, {first.size() + 3, 2, c.check}, [&] { complete = true; });
  c.add(1, formats::pack_plan("end"));
  CHECK(c.until([&] { return c.kept == 1; }));
  CHECK_FALSE(complete);
  c.add(0, formats::pack_plan(first));
  CHECK(c.until([&] { return complete; }));
  std::ifstream in(c.collector.file(c.id, c.check));
  CHECK(std::string(std::istreambuf_iterator<char>(in), {}) == first + "end");
}

TEST_CASE("plan_collector: a malformed part is in nobody's way") {
  collecting c;
  c.add(0, "well check-summed, and no part of a plan");
  CHECK(c.until([&] { return c.kept == 1; }));
  CHECK(c.collector.parts_of(c.id, c.check) == 0);
  c.add(0, formats::pack_plan("the right one"));
  CHECK(c.until([&] { return c.kept == 2; }));
  CHECK(c.collector.parts_of(c.id, c.check) == 1);
}

TEST_CASE("plan_collector: a part that cannot be written now is written later") {
  collecting c;
  std::ofstream(c.where.path() / "plans") << "in the way";
  c.add(0, formats::pack_plan("part"));
  CHECK_FALSE(c.agent.loop().run_until([&] { return c.kept > 0; }, 500));
  fs::remove(c.where.path() / "plans");
  CHECK(c.until([&] { return c.kept == 1; }));
}
