#include "agent/transfer/item_ledger.hpp"

#include "test/unit/transfer/fake_agent.hpp"
#include "test/unit/transfer/moved_tree.hpp"

using namespace baton;
using namespace baton::test;

namespace {

struct books {
  explicit books(formats::disposition what = formats::disposition::leave) {
    formats::transfer_request made;
    made.id = std::string(48, 'f');
    made.specs.emplace_back().source_disposition = what;
    request = std::make_shared<const formats::transfer_request>(std::move(made));
    ledger.emplace(
        agent, events, request, record,
        [this](transfer::services::stored done) { agent.save(record, std::move(done)); }, [this] { ++settled; });
  }
  read_item item(std::uint64_t number, const std::string& failure = "", bool told = true) const {
    read_item made;
    made.item.number = number;
    made.item.source = "/in/" + std::to_string(number);
    made.item.identity.size = 10;
    made.checksum = "00ff";
    made.failure = failure;
    made.told = told;
    return made;
  }
  // A real file that is to be deleted when it has arrived.
  read_item real_item(const fs::path& path, std::uint64_t number) const {
    write_file(path, "0123456789");
    struct stat about {};
    REQUIRE(lstat(path.c_str(), &about) == 0);
    auto made = item(number);
    made.item.source = path.string();
    made.item.identity = identity_of(about);
    return made;
  }
  std::vector<formats::log_item> logged() {
    ledger->flush();
    std::vector<formats::log_item> found;
    for (const auto& event : agent.events) found.insert(found.end(), event.items.begin(), event.items.end());
    return found;
  }
  bool wait() {
    return agent.loop().run_until([this] { return !ledger->busy(); }, 10000);
  }

  fake_agent agent;
  event_log events{agent};
  std::shared_ptr<const formats::transfer_request> request;
  formats::source_record record;
  std::optional<item_ledger> ledger;
  int settled = 0;
};

}  // namespace

TEST_CASE("items wait for their results and are counted once") {
  books kept;
  kept.ledger->add(kept.item(0));
  kept.ledger->add(kept.item(1));
  CHECK(kept.ledger->results_from() == 0);
  kept.ledger->settle({{1, 1, "BFGIO0006E: exists", ""}});
  CHECK(kept.ledger->results_from() == 0);
  kept.ledger->settle({{0, 0, "", "00ff"}});
  kept.ledger->settle({{0, 0, "", "00ff"}, {1, 1, "again", ""}});
  CHECK(kept.ledger->results_from() == 2);
  CHECK(kept.record.succeeded == 1);
  CHECK(kept.record.failed == 1);
  CHECK(kept.record.bytes == 10);
  const auto logged = kept.logged();
  REQUIRE(logged.size() == 2);
  CHECK(logged[0].number == 1);
  CHECK(logged[0].supplement == "BFGIO0006E: exists");
  CHECK(logged[1].result_code == 0);
}

TEST_CASE("an item that the destination was never told of fails at once") {
  books kept;
  kept.ledger->add(kept.item(0, "BFGIO0001E: gone", false));
  CHECK(kept.record.failed == 1);
  CHECK(kept.ledger->results_from() == 1);
  CHECK(kept.logged().at(0).supplement == "BFGIO0001E: gone");
}

TEST_CASE("the source's reason goes before the destination's") {
  books kept;
  kept.ledger->add(kept.item(0, "BFGIO0902E: changed"));
  kept.ledger->settle({{0, 1, "dropped", ""}});
  CHECK(kept.logged().at(0).supplement == "BFGIO0902E: changed");
}

TEST_CASE("an item that is refused while it is still being read fails") {
  books kept;
  kept.ledger->add(kept.item(0));
  kept.ledger->settle({{1, 1, "BFGIO0006E: exists", ""}});
  CHECK(kept.record.failed == 0);
  kept.ledger->add(kept.item(1));
  CHECK(kept.record.failed == 1);
  kept.ledger->settle({{0, 0, "", ""}});
  CHECK(kept.ledger->results_from() == 2);
  CHECK(kept.logged().at(0).supplement == "BFGIO0006E: exists");
}

TEST_CASE("items that are read again after an interruption are counted once") {
  books kept;
  for (std::uint64_t i = 0; i < 4; ++i) kept.ledger->add(kept.item(i));
  kept.ledger->settle({{0, 0, "", ""}});
  kept.ledger->rewind({2, 0});
  CHECK(kept.ledger->results_from() == 1);
  kept.ledger->settle({{1, 0, "", ""}});  // told again
  CHECK(kept.ledger->results_from() == 2);
  for (std::uint64_t i = 2; i < 4; ++i) kept.ledger->add(kept.item(i));
  kept.ledger->settle({{2, 0, "", ""}, {3, 0, "", ""}});
  CHECK(kept.record.succeeded == 4);
  CHECK(kept.logged().size() == 4);
}

TEST_CASE("items without a result at the end are failed") {
  books kept;
  kept.ledger->add(kept.item(0));
  kept.ledger->close_unanswered("BFGTR0022E: no result");
  CHECK(kept.record.failed == 1);
  CHECK(kept.logged().at(0).supplement == "BFGTR0022E: no result");
}

TEST_CASE("the log is published in pieces with rising numbers") {
  books kept;
  std::vector<formats::item_result> results;
  for (std::uint64_t i = 0; i < 7; ++i) {
    kept.ledger->add(kept.item(i));
    results.push_back({i, 0, "", ""});
  }
  kept.ledger->settle(results);
  CHECK(kept.agent.events.size() == 2);
  CHECK(kept.logged().size() == 7);
  REQUIRE(kept.agent.events.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(kept.agent.events[i].sequence == i);
    CHECK(kept.agent.events[i].action == "progress");
  }
  CHECK(kept.agent.events[2].bytes_sent == 70);
}

TEST_CASE("a source is deleted after its arrival and only then") {
  const temporary_directory where;
  books kept(formats::disposition::remove);
  kept.ledger->add(kept.real_item(where.path() / "arrived", 0));
  kept.ledger->add(kept.real_item(where.path() / "failed", 1));
  kept.ledger->add(kept.real_item(where.path() / "waits", 2));
  kept.ledger->settle({{0, 0, "", ""}, {1, 1, "BFGIO0006E: exists", ""}});
  REQUIRE(kept.wait());
  CHECK_FALSE(fs::exists(where.path() / "arrived"));
  CHECK(fs::exists(where.path() / "failed"));
  CHECK(fs::exists(where.path() / "waits"));
  CHECK(kept.settled == 1);
  CHECK(kept.record.succeeded == 1);
  CHECK(kept.record.warnings == 0);
}

TEST_CASE("a source that changed after it was read is kept with a warning") {
  const temporary_directory where;
  books kept(formats::disposition::remove);
  kept.ledger->add(kept.real_item(where.path() / "a", 0));
  write_file(where.path() / "a", "something else");
  kept.ledger->settle({{0, 0, "", ""}});
  REQUIRE(kept.wait());
  CHECK(fs::exists(where.path() / "a"));
  CHECK(kept.record.succeeded == 1);
  CHECK(kept.record.warnings == 1);
  const auto logged = kept.logged();
  CHECK(logged.at(0).result_code == 2);
  CHECK_THAT(logged.at(0).supplement, Catch::Contains("BFGTR0075W"));
}

TEST_CASE("a source that somebody else removed is no trouble") {
  const temporary_directory where;
  books kept(formats::disposition::remove);
  kept.ledger->add(kept.real_item(where.path() / "a", 0));
  fs::remove(where.path() / "a");
  kept.ledger->settle({{0, 0, "", ""}});
  REQUIRE(kept.wait());
  CHECK(kept.logged().at(0).result_code == 0);
}

TEST_CASE("a ledger may go while a source is being deleted") {
  const temporary_directory where;
  books kept(formats::disposition::remove);
  kept.ledger->add(kept.real_item(where.path() / "a", 0));
  kept.ledger->settle({{0, 0, "", ""}});
  kept.ledger.reset();
  bool back = false;
  kept.agent.loop().post(
      [&] { kept.agent.pool().submit([&back]() -> std::function<void()> { return [&back] { back = true; }; }); });
  REQUIRE(kept.agent.loop().run_until([&] { return back; }, 10000));
  CHECK(fs::exists(where.path() / "a"));  // the next activation decides
  CHECK(kept.settled == 0);
}

TEST_CASE("a source is deleted after a record that says so is durable and not before") {
  const temporary_directory where;
  books kept(formats::disposition::remove);
  kept.agent.slow = true;
  kept.ledger->add(kept.real_item(where.path() / "a", 0));
  kept.ledger->settle({{0, 0, "", ""}});
  REQUIRE(kept.agent.records.size() == 1);
  REQUIRE(kept.agent.records[0].deleting.size() == 1);
  CHECK(kept.agent.records[0].deleting[0].size == 10);
  CHECK(kept.agent.records[0].deleting[0].inode != 0);
  CHECK(kept.ledger->results_from() == 0);
  CHECK(fs::exists(where.path() / "a"));
  kept.agent.unsettled.at(0)(true);
  REQUIRE(kept.wait());
  CHECK_FALSE(fs::exists(where.path() / "a"));
  CHECK(kept.ledger->results_from() == 1);
  CHECK(kept.record.deleting.empty());
}

TEST_CASE("nothing is deleted before its time nor without the lease") {
  const temporary_directory where;
  books kept(formats::disposition::remove);
  kept.agent.unfenced_from = boot_time_ms() + 200;
  kept.agent.lease = false;
  kept.ledger->add(kept.real_item(where.path() / "a", 0));
  kept.ledger->settle({{0, 0, "", ""}});
  kept.agent.loop().run_until([&] { return boot_time_ms() > kept.agent.unfenced_from + 300; }, 5000);
  CHECK(fs::exists(where.path() / "a"));
  kept.agent.lease = true;
  REQUIRE(kept.wait());
  CHECK_FALSE(fs::exists(where.path() / "a"));
}

TEST_CASE("what an earlier activation was about to delete is deleted, counted or kept") {
  const temporary_directory where;
  books kept(formats::disposition::remove);
  const char* names[] = {"deleted", "left", "changed"};
  std::vector<read_item> items;
  for (std::uint64_t i = 0; i < 3; ++i) items.push_back(kept.real_item(where.path() / names[i], i));
  auto plan = plan_writer::create(where.path() / "plan");
  REQUIRE(plan.ok());
  for (const auto& item : items) {
    plan->add(item.item);
    const auto& file = item.item.identity;
    kept.record.deleting.push_back(
        {item.item.number, file.size, file.device, file.inode, file.modified_s, file.modified_ns, "00ff"});
  }
  REQUIRE(plan->finish().ok());
  fs::remove(where.path() / "deleted");
  write_file(where.path() / "changed", "something else");
  kept.ledger.emplace(
      kept.agent, kept.events, kept.request, kept.record, [](transfer::services::stored) {}, [] {});
  auto reading = plan_reader::open(where.path() / "plan");
  REQUIRE(reading.ok());
  CHECK(kept.ledger->busy());
  kept.ledger->adopt_deleting(*find_items(*reading, {0, 1, 2}));
  REQUIRE(kept.wait());
  CHECK_FALSE(fs::exists(where.path() / "left"));
  CHECK(read_file(where.path() / "changed") == "something else");
  CHECK(kept.record.succeeded == 3);
  CHECK(kept.record.warnings == 1);
  CHECK(kept.record.failed == 0);
  CHECK(kept.ledger->results_from() == 3);
}

TEST_CASE("results behind a gap survive a takeover and are not counted twice") {
  books before;
  for (std::uint64_t i = 0; i < 4; ++i) before.ledger->add(before.item(i));
  before.ledger->settle({{1, 0, "", ""}, {3, 0, "", ""}});
  CHECK(before.ledger->results_from() == 0);
  books after;
  after.record.results_from = before.ledger->results_from();
  after.record.done = before.ledger->closed_behind();
  after.ledger.emplace(
      after.agent, after.events, after.request, after.record, [](transfer::services::stored) {}, [] {});
  for (std::uint64_t i = 0; i < 4; ++i) after.ledger->add(after.item(i));
  after.ledger->settle({{0, 0, "", ""}, {1, 0, "", ""}, {2, 0, "", ""}, {3, 0, "", ""}});
  CHECK(after.record.succeeded == 2);
  CHECK(after.ledger->results_from() == 4);
}
