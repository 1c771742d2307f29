#include "coordination/history.hpp"

#include <catch2/catch.hpp>

#include "test/properties/temporary.hpp"

using namespace baton;
using namespace baton::coordination;
using namespace baton::formats;

namespace {

const std::string id_a = std::string(47, 'a') + "1", id_b = std::string(47, 'a') + "2", id_c(48, 'c');

log_event event(const std::string& id, const std::string& action, std::uint64_t sequence, std::int64_t time_ms) {
  log_event e;
  e.transfer_id = id;
  e.action = action;
  e.sequence = sequence;
  e.time_ms = time_ms;
  e.job = "JOB";
  e.source_agent = "SRC";
  e.destination_agent = "DST";
  e.originator_user = "pat";
  e.originator_host = "here";
  e.start_time_ms = 1000;
  e.metadata = {{"k", "v"}};
  return e;
}

log_event started(const std::string& id) {
  auto e = event(id, "started", 0, 1000);
  e.items_total = 3;
  e.bytes_total = 300;
  return e;
}

log_event progressed(const std::string& id, std::uint64_t sequence, std::vector<std::uint64_t> numbers) {
  auto e = event(id, "progress", sequence, 1000 + static_cast<std::int64_t>(sequence));
  for (const auto number : numbers) {
    log_item item;
    item.number = number;
    item.source = "/in/" + std::to_string(number);
    item.size = 100;
    e.items.push_back(item);
    e.bytes_sent += 100;
  }
  return e;
}

log_event ended(const std::string& id, std::uint64_t sequence, int code, const std::string& action = "completed") {
  auto e = event(id, action, sequence, 2000);
  e.result_code = code;
  e.supplement = "the end";
  e.items_total = 3;
  e.bytes_total = e.bytes_sent = 300;
  return e;
}

query ask(const std::string& what, const std::string& id = "") {
  query q;
  q.what = what;
  q.id = id;
  return q;
}

transfer_row row_of(history& kept, const std::string& id) {
  const auto found = kept.find(ask("transfer", id), 0);
  INFO(found.text);
  REQUIRE(found.transfers.size() == 1);
  return found.transfers[0];
}

std::vector<std::uint64_t> items_of(history& kept, const std::string& id) {
  std::vector<std::uint64_t> numbers;
  for (const auto& item : kept.find(ask("items", id), 0).items) numbers.push_back(item.number);
  return numbers;
}

agent_status status_of(const std::string& agent, const std::string& word = "READY") {
  agent_status s;
  s.agent = agent;
  s.status = word;
  s.publish_interval_ms = 1000;
  s.jitter_ms = 100;
  s.publish_time_ms = 999999999;  // the agent's clock, which is wrong
  return s;
}

std::string shown(history& kept, std::int64_t now_ms) {
  const auto found = kept.find(ask("agents"), now_ms);
  REQUIRE(found.agents.size() == 1);
  return found.agents[0].shown_status;
}

}  // namespace

TEST_CASE("a transfer's events make up its history") {
  history kept(":memory:");
  kept.apply(started(id_a));
  CHECK(row_of(kept, id_a).state == "started");
  CHECK(row_of(kept, id_a).result_code == -1);
  kept.apply(progressed(id_a, 1, {0, 1}));
  kept.apply(progressed(id_a, 2, {2}));
  CHECK(row_of(kept, id_a).items == 3);
  kept.apply(ended(id_a, 3, 0));
  const auto row = row_of(kept, id_a);
  CHECK(row.state == "successful");
  CHECK(row.result_code == 0);
  CHECK(row.supplement == "the end");
  CHECK(row.job == "JOB");
  CHECK(row.originator_user == "pat");
  CHECK(row.start_ms == 1000);
  CHECK(row.end_ms == 2000);
  CHECK(row.items_total == 3);
  CHECK(row.bytes == 300);
  CHECK(row.metadata == std::map<std::string, std::string>{{"k", "v"}});
  CHECK(items_of(kept, id_a) == std::vector<std::uint64_t>{0, 1, 2});
}

TEST_CASE("the end of a transfer has a word") {
  history kept(":memory:");
  const auto word = [&](log_event e) {
    static int number = 0;
    e.transfer_id = std::string(40, '0') + std::to_string(10000000 + ++number);
    kept.apply(e);
    return row_of(kept, e.transfer_id).state;
  };
  CHECK(word(ended("", 0, 0)) == "successful");
  CHECK(word(ended("", 0, 20)) == "partiallySuccessful");
  CHECK(word(ended("", 0, 41, "cancelled")) == "cancelled");
  CHECK(word(ended("", 0, 40)) == "failed");
  CHECK(word(ended("", 0, 69)) == "failed");
  CHECK(word(ended("", 0, 40, "malformed")) == "malformed");
}

TEST_CASE("a repeated log event changes nothing") {
  history kept(":memory:");
  const std::vector<log_event> events{started(id_a), progressed(id_a, 1, {0, 1}), ended(id_a, 2, 0)};
  for (const auto& e : events) {
    kept.apply(e);
    kept.apply(e);
  }
  for (const auto& e : events) kept.apply(e);
  const auto row = row_of(kept, id_a);
  CHECK(row.items == 2);
  CHECK(row.state == "successful");
  CHECK(row.updated_ms == 2000);
  CHECK(items_of(kept, id_a).size() == 2);
}

TEST_CASE("log events in any order give the same history") {
  std::vector<log_event> events{started(id_a), progressed(id_a, 1, {0, 1}), progressed(id_a, 2, {2}),
                                ended(id_a, 3, 0)};
  std::vector<std::size_t> order{0, 1, 2, 3};
  do {
    history kept(":memory:");
    for (const auto i : order) kept.apply(events[i]);
    const auto row = row_of(kept, id_a);
    INFO("order " << order[0] << order[1] << order[2] << order[3]);
    CHECK(row.state == "successful");
    CHECK(row.result_code == 0);
    CHECK(row.items_total == 3);
    CHECK(row.bytes == 300);
    CHECK(row.items == 3);
    CHECK(row.end_ms == 2000);
    CHECK(row.updated_ms == 2000);
    CHECK(items_of(kept, id_a).size() == 3);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("a transfer whose start comes late has its totals") {
  history kept(":memory:");
  kept.apply(progressed(id_a, 1, {0}));
  kept.apply(started(id_a));
  CHECK(row_of(kept, id_a).items_total == 3);
  CHECK(row_of(kept, id_a).bytes_total == 300);
  CHECK(row_of(kept, id_a).items == 1);
}

TEST_CASE("items that are reported again after a takeover count once") {
  history kept(":memory:");
  kept.apply(started(id_a));
  kept.apply(progressed(id_a, 1, {0, 1}));
  kept.apply(progressed(id_a, 1000000000, {0, 1, 2}));
  CHECK(row_of(kept, id_a).items == 3);
}

TEST_CASE("progress moves a running transfer and not an ended one") {
  history kept(":memory:");
  kept.apply(started(id_a));
  const transfer_status now{
      {id_a, "RecoveringTransfer", 1, 3, 0, 150, 300, 0, "", 77, 2000, 3, 44, "queue"}, "SRC", "DST", "JOB", 1500};
  kept.apply(now);
  CHECK(row_of(kept, id_a).state == "RecoveringTransfer");
  CHECK(row_of(kept, id_a).rate == 77);
  CHECK(row_of(kept, id_a).time_left_ms == 2000);
  CHECK(row_of(kept, id_a).retries == 3);
  CHECK(row_of(kept, id_a).wasted_bytes == 44);
  CHECK(row_of(kept, id_a).channel == "queue");
  CHECK(row_of(kept, id_a).bytes == 150);
  CHECK(row_of(kept, id_a).updated_ms == 1500);
  kept.apply(ended(id_a, 1, 0));
  kept.apply(now);
  CHECK(row_of(kept, id_a).state == "successful");
  CHECK(row_of(kept, id_a).channel.empty());
  transfer_status unknown = now;
  unknown.how_far.transfer_id = id_b;
  kept.apply(unknown);
  CHECK(kept.find(ask("transfers"), 0).transfers.size() == 1);
}

TEST_CASE("a transfer is found by the start of its id") {
  history kept(":memory:");
  for (const auto& id : {id_a, id_b, id_c}) kept.apply(started(id));
  CHECK(row_of(kept, "c").id == id_c);
  CHECK(row_of(kept, id_a).id == id_a);
  const auto several = kept.find(ask("transfer", "aaaa"), 0);
  CHECK(several.result_code == 1);
  CHECK_THAT(several.text, Catch::Contains("give more digits"));
  CHECK(several.transfers.empty());
  const auto none = kept.find(ask("transfer", "b"), 0);
  CHECK(none.result_code == 1);
  CHECK_THAT(none.text, Catch::Contains("no transfer is known"));
  CHECK(kept.find(ask("transfer", id_a + "0"), 0).result_code == 1);
}

TEST_CASE("an id with the wildcards of a database is only text") {
  history kept(":memory:");
  kept.apply(started(id_a));
  for (const char* id : {"%", "_", "a%", "'", "a' OR '1'='1"})
    CHECK(kept.find(ask("transfer", id), 0).result_code == 1);
}

TEST_CASE("transfers are listed newest first and bounded") {
  history kept(":memory:");
  for (int i = 0; i < 10; ++i) {
    auto e = started(std::string(47, '0') + std::to_string(i));
    e.start_time_ms = i * 100;
    kept.apply(e);
    if (i < 5) kept.apply(ended(e.transfer_id, 1, 0));
  }
  auto question = ask("transfers");
  question.limit = 3;
  const auto newest = kept.find(question, 0).transfers;
  REQUIRE(newest.size() == 3);
  CHECK(newest[0].start_ms == 900);
  CHECK(newest[2].start_ms == 700);
  question.limit = 100;
  question.active_only = true;
  CHECK(kept.find(question, 0).transfers.size() == 5);
  question.limit = -1;
  CHECK(kept.find(question, 0).transfers.size() == 1);
}

TEST_CASE("items are asked for in pages") {
  history kept(":memory:");
  kept.apply(progressed(id_a, 1, {0, 1, 2, 3, 4}));
  auto question = ask("items", id_a);
  question.after = 2;
  question.limit = 2;
  const auto page = kept.find(question, 0).items;
  REQUIRE(page.size() == 2);
  CHECK(page[0].number == 2);
  CHECK(page[1].number == 3);
}

TEST_CASE("an agent is late by the clock of who receives") {
  history kept(":memory:");
  kept.apply(status_of("SRC"), 50000);
  CHECK(shown(kept, 50000) == "READY");
  CHECK(shown(kept, 51100) == "READY");
  CHECK(shown(kept, 51101) == "UNREACHABLE");
  CHECK(shown(kept, 40000) == "READY");  // this clock was set back
  CHECK(kept.find(ask("agents"), 40000).agents[0].age_ms == 0);
  kept.apply(status_of("SRC"), 60000);
  CHECK(shown(kept, 60000) == "READY");
}

TEST_CASE("an agent that has ended is not late") {
  history kept(":memory:");
  for (const char* word : {"STOPPED", "ENDED UNEXPECTEDLY"}) {
    kept.apply(status_of("SRC", word), 0);
    CHECK(shown(kept, 1000000) == word);
  }
}

TEST_CASE("agents are found by pattern and removed by name") {
  history kept(":memory:");
  for (const char* name : {"SRC1", "SRC2", "DST"}) kept.apply(status_of(name), 0);
  auto question = ask("agents");
  CHECK(kept.find(question, 0).agents.size() == 3);
  question.pattern = "src*";
  CHECK(kept.find(question, 0).agents.size() == 2);
  kept.remove_agent("SRC1");
  kept.remove_agent("NONE");
  const auto left = kept.find(question, 0).agents;
  REQUIRE(left.size() == 1);
  CHECK(left[0].status.agent == "SRC2");
}

TEST_CASE("an unknown question is answered with an error") {
  history kept(":memory:");
  const auto found = kept.find(ask("everything"), 0);
  CHECK(found.result_code == 1);
  CHECK_THAT(found.text, Catch::Contains("everything"));
}

TEST_CASE("old transfers are forgotten with their items and some at a time") {
  history kept(":memory:");
  kept.begin();
  for (int i = 0; i < 150; ++i) {
    const std::string id = std::string(45, '0') + std::to_string(100 + i);
    kept.apply(progressed(id, 0, {0}));
    kept.apply(ended(id, 1, 0));
  }
  auto young = ended(id_c, 1, 0);
  young.time_ms = 3000;
  kept.apply(young);
  kept.commit();
  CHECK_FALSE(kept.prune(2000));  // nothing is older than that
  CHECK(kept.prune(2001));
  CHECK_FALSE(kept.prune(2001));
  const auto left = kept.find(ask("transfers"), 0).transfers;
  REQUIRE(left.size() == 1);
  CHECK(left[0].id == id_c);
  CHECK(items_of(kept, std::string(45, '0') + "100").empty());
}

TEST_CASE("a transfer that nothing is heard of any more is forgotten too") {
  history kept(":memory:");
  kept.apply(started(id_a));
  CHECK_FALSE(kept.prune(1000));
  CHECK(kept.find(ask("transfers"), 0).transfers.size() == 1);
  CHECK_FALSE(kept.prune(1001));
  CHECK(kept.find(ask("transfers"), 0).transfers.empty());
}

TEST_CASE("what was rolled back is not kept and what was committed is") {
  const test::temporary_directory where;
  const std::string path = (where.path() / "history.db").string();
  {
    history kept(path);
    kept.begin();
    kept.apply(started(id_a));
    kept.roll_back();
    kept.begin();
    kept.apply(started(id_b));
    kept.commit();
  }
  history again(path);
  const auto found = again.find(ask("transfers"), 0).transfers;
  REQUIRE(found.size() == 1);
  CHECK(found[0].id == id_b);
}

TEST_CASE("a history of a newer version is refused") {
  const test::temporary_directory where;
  const std::string path = (where.path() / "history.db").string();
  database(path).execute("PRAGMA user_version = 99");
  CHECK_THROWS_WITH(history(path), Catch::Contains("newer version"));
}

TEST_CASE("a history of the version before is taken over") {
  const test::temporary_directory where;
  const std::string path = (where.path() / "history.db").string();
  {
    history kept(path);
    kept.apply(started(id_a));
    kept.apply(ended(id_a, 1, 0));
  }
  {
    database old(path);
    for (const char* column : {"wasted", "rate", "time_left", "channel"}) {
      old.execute((std::string("ALTER TABLE transfers DROP COLUMN ") + column).c_str());
    }
    old.execute("PRAGMA user_version = 1");
  }
  history kept(path);
  CHECK(row_of(kept, id_a).state == "successful");
  CHECK(row_of(kept, id_a).wasted_bytes == 0);
  kept.apply(started(id_b));
  CHECK(row_of(kept, id_b).time_left_ms == -1);
}
