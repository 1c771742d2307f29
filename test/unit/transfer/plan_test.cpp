#include "agent/transfer/plan.hpp"

#include "test/unit/seed.hpp"
#include "test/unit/transfer/moved_tree.hpp"

using namespace baton;
using namespace baton::test;

namespace {

plan_item sample(std::uint64_t number) {
  plan_item item;
  item.number = number;
  item.kind = number % 2 == 0 ? formats::item_kind::file : formats::item_kind::directory;
  item.spec = static_cast<std::uint32_t>(number);
  item.source = "/in/\xFF" + std::to_string(number);
  item.destination = "/out/" + std::to_string(number);
  item.identity = {100 + number, 2, UINT64_MAX, -5, 999999999};
  item.mode = 0640;
  if (number == 3) item.failure = "BFGIO0001E: gone";
  if (number == 4) {
    item.messages = std::string(4000, '\0');
    item.digest = "\x01\xFF";
  }
  return item;
}

fs::path written(const temporary_directory& where, std::uint64_t count) {
  const fs::path path = where.path() / "folder" / "plan";
  auto plan = plan_writer::create(path);
  REQUIRE(plan.ok());
  for (std::uint64_t i = 0; i < count; ++i) plan->add(sample(i));
  REQUIRE(plan->finish().ok());
  return path;
}

bool same(const plan_item& a, const plan_item& b) {
  return a.number == b.number && a.kind == b.kind && a.spec == b.spec && a.source == b.source &&
         a.destination == b.destination && a.identity == b.identity && a.mode == b.mode && a.failure == b.failure &&
         a.messages == b.messages && a.digest == b.digest;
}

}  // namespace

TEST_CASE("a plan comes back as it was written") {
  const temporary_directory where;
  auto plan = plan_reader::open(written(where, 5));
  REQUIRE(plan.ok());
  for (std::uint64_t i = 0; i < 5; ++i) {
    const auto item = plan->next();
    REQUIRE((item.ok() && item->has_value()));
    CHECK(same(**item, sample(i)));
  }
  for (int again = 0; again < 3; ++again) {
    const auto end = plan->next();
    REQUIRE(end.ok());
    CHECK_FALSE(end->has_value());
  }
}

TEST_CASE("a plan is put together again from its parts and only from those") {
  const temporary_directory where;
  const fs::path path = written(where, 5);
  const auto plan = summarise_plan(path);
  REQUIRE(plan.ok());
  CHECK(plan->parts == 1);
  CHECK(plan->bytes == read_file(path).size());
  const fs::path parts = where.path() / "parts";
  for (const std::size_t at : {std::size_t{0}, std::size_t{30}, read_file(path).size() - 1}) {
    std::string damaged = read_file(path);
    damaged[at] ^= 1;
    write_file(parts, damaged);
    CHECK_FALSE(adopt_plan_file(parts, where.path() / "again", *plan).ok());
    CHECK_FALSE(fs::exists(where.path() / "again"));
  }
  write_file(parts, read_file(path));
  REQUIRE(adopt_plan_file(parts, where.path() / "again", *plan).ok());
  CHECK(read_file(where.path() / "again") == read_file(path));
  CHECK(summarise_plan(where.path() / "none").error().code == errc::not_found);
}

TEST_CASE("a plan is read from any item on") {
  const temporary_directory where;
  auto plan = plan_reader::open(written(where, 5));
  REQUIRE(plan.ok());
  for (const std::uint64_t at : {3U, 0U, 4U, 1U}) {
    REQUIRE(plan->seek(at).ok());
    CHECK(same(**plan->next(), sample(at)));
  }
  for (const std::uint64_t behind : {5U, 6U, 1000U}) {
    REQUIRE(plan->seek(behind).ok());
    CHECK_FALSE(plan->next()->has_value());
  }
}

TEST_CASE("a plan that is cut anywhere is not a plan") {
  const temporary_directory where;
  const fs::path path = written(where, 3);
  const std::string whole = read_file(path);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write_file(path, whole.substr(0, size));
    INFO("cut at " << size);
    auto plan = plan_reader::open(path);
    while (plan.ok()) {
      const auto item = plan->next();
      if (!item) {
        CHECK(item.error().code == errc::bad_message);
        break;
      }
      REQUIRE(item->has_value());  // never the end
    }
    if (!plan) CHECK(plan.error().code == errc::bad_message);
  }
  CHECK(plan_reader::open(where.path() / "none").error().code == errc::not_found);
}

TEST_CASE("a damaged plan is read up to the damage and ends") {
  BATON_SEEDED(random);
  const temporary_directory where;
  const fs::path path = written(where, 4);
  const std::string whole = read_file(path);
  for (int i = 0; i < 1000; ++i) {
    write_file(path, mutated(random, whole));
    auto plan = plan_reader::open(path);
    if (!plan) continue;
    int items = 0;
    for (auto item = plan->next(); item.ok() && item->has_value(); item = plan->next()) REQUIRE(++items < 1000);
  }
}

TEST_CASE("a plan that cannot be written is an error") {
  const temporary_directory where;
  write_file(where.path() / "file", "in the way");
  CHECK(plan_writer::create(where.path() / "file" / "plan").error().code == errc::io);
  if (!fs::exists("/dev/full")) return;
  auto plan = plan_writer::create("/dev/full");
  REQUIRE(plan.ok());
  for (std::uint64_t i = 0; i < 100; ++i) plan->add(sample(i));
  CHECK_FALSE(plan->finish().ok());
}

TEST_CASE("items are found by their numbers, in one way through the plan") {
  const temporary_directory where;
  auto plan = plan_reader::open(written(where, 5));
  REQUIRE(plan.ok());
  const auto numbers = [&](const std::vector<std::uint64_t>& wanted) {
    const auto found = find_items(*plan, wanted);
    REQUIRE(found.ok());
    std::vector<std::uint64_t> seen;
    for (const auto& item : *found) seen.push_back(item.number);
    return seen;
  };
  CHECK(numbers({1, 2, 4}) == std::vector<std::uint64_t>{1, 2, 4});
  CHECK(numbers({0, 3}) == std::vector<std::uint64_t>{0, 3});  // behind where it was
  CHECK(numbers({4, 5, 9}) == std::vector<std::uint64_t>{4});
  CHECK(numbers({}).empty());
}
