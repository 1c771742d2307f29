// A source transfer against a destination that this test plays.
#include "agent/transfer/source_transfer.hpp"

#include <fmt/format.h>

#include "test/unit/transfer/fake_agent.hpp"
#include "test/unit/transfer/moved_tree.hpp"

using namespace baton;
using namespace baton::test;

namespace {

class played_transfer {
 public:
  explicit played_transfer(formats::source_record record = {}, const std::vector<std::string>& names = {"a", "b", "c"},
                           bool log_is_slow = false, bool chunk_bytes_chosen = false) {
    agent.log_is_slow = log_is_slow;
    agent.change_settings().chunk_bytes_chosen = chunk_bytes_chosen;
    agent.change_settings().plan_directory = (where_.path() / "plans").string();
    agent.change_settings().window_frames = 1;
    for (const auto& name : names) write_file(where_.path() / "in" / name, "content");
    request_.id = std::string(48, 'a');
    request_.source_agent = "SRC";
    request_.destination_agent = "DST";
    for (const auto& name : names) {
      auto& spec = request_.specs.emplace_back();
      spec.source = (where_.path() / "in" / name).string();
      spec.destination = "/out/" + name;
      spec.source_disposition = formats::disposition::remove;
    }
    record.transfer_id = request_.id;
    record.reply_to = "asker";
    const source_transfer::shared of_agent{plans_, channels_, bandwidth_, programs_, queues_};
    transfer_ = std::make_shared<source_transfer>(agent, of_agent, request_, record, [this](const std::string&) {
      transfer_.reset();  // as its owner does
      ended_ = true;
    });
    transfer_->start();
    if (record.result_code == formats::source_record::not_ended) {
      REQUIRE(wait([this] { return last(formats::subject::negotiate) != nullptr; }));
    }
  }

  formats::negotiate asked() { return *formats::read_negotiate(last(formats::subject::negotiate)->body); }
  const std::string& id() const { return request_.id; }
  void answer(formats::position from, int code = 0, const std::string& text = "", std::uint64_t epoch = 1) {
    transfer()->on_negotiated({request_.id, epoch, "run", asked().attempt, code, text, from, 4096, 10, 0, {}, {}});
  }
  void acknowledge(std::uint64_t frames, std::vector<formats::item_result> results, bool complete) {
    transfer()->on_ack({request_.id, 1, "run", asked().attempt, frames, {}, std::move(results), complete, {}, {}});
  }
  bool wait(const std::function<bool()>& done) { return agent.loop().run_until(done, 10000); }
  bool wait_a_moment(const std::function<bool()>& done) { return agent.loop().run_until(done, 200); }
  formats::reply result() {
    REQUIRE(wait([this] { return ended_; }));
    return *formats::read_reply(last(formats::subject::reply)->body);
  }
  bool has_told(const char* subject) const { return last(subject) != nullptr; }
  std::string told_destination() const { return formats::read_finish(last(formats::subject::finish)->body)->how; }
  bool source_exists(const char* name) const { return fs::exists(where_.path() / "in" / name); }
  std::shared_ptr<source_transfer> transfer() { return transfer_; }  // which a caller holds, as its owner does

  fake_agent agent;

 private:
  const amqp::message* last(const std::string& subject) const {
    for (auto m = agent.sent.rbegin(); m != agent.sent.rend(); ++m) {
      if (m->subject == subject) return &*m;
    }
    return nullptr;
  }

  temporary_directory where_;
  plan_collector plans_{agent};
  token_bucket bandwidth_;
  program_runner programs_{agent};
  queue::subscribers queues_{agent.loop(), agent.pool(), [] { return amqp::connection_options(); }, {}};
  channel::direct_channels channels_{agent.loop(), agent.pool(), agent.settings(), nullptr};
  formats::transfer_request request_;
  std::shared_ptr<source_transfer> transfer_;
  bool ended_ = false;
};

const std::string exists = "BFGIO0006E: exists";

}  // namespace

TEST_CASE("a transfer ends with the sum of its items' results") {
  played_transfer played;
  played.answer({0, 0});
  REQUIRE(played.wait([&] { return played.agent.frames.size() == 1; }));
  played.acknowledge(1, {{0, 0, "", ""}, {1, 1, exists, ""}, {2, 0, "", ""}}, true);
  const auto result = played.result();
  CHECK(result.result_code == 20);
  CHECK(result.items == 3);
  CHECK(result.failed == 1);
  CHECK_FALSE(played.source_exists("a"));
  CHECK(played.source_exists("b"));
  CHECK_FALSE(played.source_exists("c"));
}

TEST_CASE("a source asks for the size of chunk that suits its queue manager unless somebody chose one") {
  played_transfer played;
  CHECK(played.asked().chunk_bytes == 1 << 20);
  played_transfer chosen({}, {"a"}, false, true);
  CHECK(chosen.asked().chunk_bytes == 262144);
}

TEST_CASE("a record says that an item is done after the log has the item and not before") {
  played_transfer played;
  played.answer({0, 0});
  REQUIRE(played.wait([&] { return played.agent.frames.size() == 1; }));
  const std::size_t records = played.agent.records.size();
  played.agent.log_is_slow = true;
  played.acknowledge(1, {{0, 0, "", ""}, {1, 1, exists, ""}, {2, 0, "", ""}}, true);
  CHECK_FALSE(
      played.wait_a_moment([&] { return played.agent.records.size() > records || !played.source_exists("a"); }));
  REQUIRE(played.agent.untold.size() == 1);
  CHECK(played.agent.events.back().items.size() == 1);  // the one that failed; the others' sources are still there
  played.agent.log_is_slow = false;
  played.agent.untold[0]();
  CHECK(played.result().result_code == 20);
}

TEST_CASE("a new activation of the destination is sent what this side's record does not have") {
  played_transfer played;
  played.answer({0, 0});
  REQUIRE(played.wait([&] { return played.agent.frames.size() == 1; }));
  played.agent.slow = true;  // the record that names what is to be deleted is not on STATE
  played.acknowledge(1, {{0, 0, "", ""}, {1, 0, "", ""}}, false);
  const auto items_sent_again = [&] {
    const std::size_t frames = played.agent.frames.size();
    const std::uint64_t attempt = played.asked().attempt;
    played.transfer()->on_ack({played.id(), 2, "next", attempt, 0, {}, {}, false, {}, {}});
    REQUIRE(played.wait([&] { return played.asked().attempt > attempt; }));
    played.answer({0, 0}, 0, "", 2);
    REQUIRE(played.wait([&] { return played.agent.frames.size() > frames; }));
    std::vector<std::uint64_t> begun;
    REQUIRE(formats::read_frame_records(played.agent.frames.back().bulk, [&](const formats::record& r) {
              if (const auto* first = std::get_if<formats::item_begin>(&r)) begun.push_back(first->number);
              return done();
            }).ok());
    return begun;
  };
  CHECK(items_sent_again() == std::vector<std::uint64_t>{0, 1, 2});
  played.agent.lease = false;  // so that nothing is deleted when the record is there
  for (const auto& stored : std::exchange(played.agent.unsettled, {})) stored(true);
  CHECK(items_sent_again() == std::vector<std::uint64_t>{2});
}

TEST_CASE("the record of a transfer goes after the log has its end and not before") {
  played_transfer played;
  played.answer({0, 0});
  REQUIRE(played.wait([&] { return played.agent.frames.size() == 1; }));
  played.agent.log_is_slow = true;
  played.acknowledge(1, {{0, 1, exists, ""}, {1, 1, exists, ""}, {2, 1, exists, ""}}, true);
  // The items first, then the record that has their results, and then the end.
  REQUIRE(played.agent.untold.size() == 1);
  played.agent.untold[0]();
  REQUIRE(played.wait([&] { return played.agent.untold.size() == 2; }));
  CHECK_FALSE(played.wait_a_moment([&] { return played.agent.forgotten; }));
  CHECK(played.agent.events.back().result_code == 40);
  played.agent.log_is_slow = false;
  played.agent.untold[1]();
  CHECK(played.result().result_code == 40);
  CHECK(played.agent.forgotten);
}

TEST_CASE("all has arrived when the results are here, whichever way they took") {
  played_transfer played;
  played.answer({0, 0});
  REQUIRE(played.wait([&] { return played.agent.frames.size() == 1; }));
  const std::uint64_t attempt = played.asked().attempt;
  played.acknowledge(1, {{2, 0, "", ""}}, true);
  CHECK_FALSE(played.wait_a_moment([&] { return played.has_told(formats::subject::reply); }));
  played.acknowledge(1, {{0, 0, "", ""}, {1, 0, "", ""}}, false);
  CHECK(played.result().result_code == 0);
  CHECK(played.asked().attempt == attempt);
}

TEST_CASE("results that do not come are asked for once more and then given up") {
  played_transfer played;
  played.answer({0, 0});
  REQUIRE(played.wait([&] { return played.agent.frames.size() == 1; }));
  const std::uint64_t attempt = played.asked().attempt;
  played.acknowledge(1, {{0, 0, "", ""}}, true);
  REQUIRE(played.wait([&] { return played.asked().attempt > attempt; }));
  played.answer({3, 0});
  REQUIRE(played.wait([&] { return played.agent.frames.size() == 2; }));
  played.acknowledge(1, {}, true);
  const auto result = played.result();
  CHECK(result.result_code == 20);
  CHECK(result.failed == 2);
  CHECK(played.source_exists("b"));
}

TEST_CASE("nobody hears of the end of a transfer before it is durable") {
  played_transfer played;
  played.answer({0, 0});
  REQUIRE(played.wait([&] { return played.agent.frames.size() == 1; }));
  played.agent.slow = true;
  played.acknowledge(1, {{0, 1, exists, ""}, {1, 1, exists, ""}, {2, 1, exists, ""}}, true);
  REQUIRE(played.wait([&] { return !played.agent.unsettled.empty(); }));
  CHECK(played.agent.saved->result_code == 0);
  CHECK(played.agent.saved->results_from == 3);
  CHECK_FALSE(played.wait_a_moment([&] {
    return played.has_told(formats::subject::finish) || played.has_told(formats::subject::reply) ||
           played.agent.events.back().action == "completed" || played.agent.forgotten;
  }));
  for (const auto& stored : std::exchange(played.agent.unsettled, {})) stored(true);
  CHECK(played.result().result_code == 40);
  CHECK(played.told_destination() == "completed");
  CHECK(played.agent.events.back().action == "completed");
}

TEST_CASE("an end that cannot be made durable is told all the same") {
  played_transfer played;
  played.answer({0, 0});
  REQUIRE(played.wait([&] { return played.agent.frames.size() == 1; }));
  played.agent.keeps = false;
  played.acknowledge(1, {{0, 1, exists, ""}, {1, 1, exists, ""}, {2, 1, exists, ""}}, true);
  CHECK(played.result().result_code == 40);
}

TEST_CASE("an activation that finds a transfer ended tells it again and moves nothing") {
  for (const auto& [code, word] : {std::pair{0, "completed"}, {40, "failed"}, {41, "cancelled"}}) {
    formats::source_record record;
    record.sequence = 1;
    record.attempt = 5;
    record.planned = true;
    record.results_from = record.items_total = 3;
    record.succeeded = code == 0 ? 3 : 0;
    record.result_code = code;
    record.result_text = code == 40 ? "BFGTR0019E: no plan" : "";
    played_transfer played(record);
    const auto result = played.result();
    CHECK(result.result_code == code);
    if (code == 40) CHECK(result.text == record.result_text);
    CHECK(result.items == record.succeeded);
    CHECK(played.told_destination() == word);
    CHECK_FALSE(played.has_told(formats::subject::negotiate));
    CHECK(played.agent.frames.empty());
    CHECK(played.agent.forgotten);
    for (const char* name : {"a", "b", "c"}) CHECK(played.source_exists(name));
  }
}

TEST_CASE("a transfer that is found ended is not cancelled any more") {
  formats::source_record record;
  record.sequence = record.attempt = record.items_total = record.succeeded = 1;
  record.planned = true;
  record.result_code = 0;
  played_transfer played(record, {"a"}, true);
  REQUIRE(played.agent.untold.size() == 1);
  played.transfer()->cancel();
  played.agent.untold[0]();
  CHECK(played.result().result_code == 0);
  CHECK(played.agent.records.empty());
  CHECK(played.agent.events.size() == 1);
}

TEST_CASE("what is told to have arrived after the end is neither deleted nor counted") {
  played_transfer played({}, {"a"}, true);
  played.answer({0, 0});
  REQUIRE(played.wait([&] { return !played.agent.frames.empty(); }));
  played.transfer()->cancel();
  REQUIRE(played.wait([&] { return played.has_told(formats::subject::finish); }));
  REQUIRE(played.transfer());
  played.acknowledge(1, {{0, 0, "", ""}}, true);
  for (const auto& told : std::exchange(played.agent.untold, {})) told();
  CHECK(played.agent.saved->deleting.empty());
  played.result();
  CHECK(played.source_exists("a"));
}

TEST_CASE("nothing is saved of a transfer that has ended, however much its last acknowledgement tells") {
  std::vector<std::string> names;
  for (int i = 0; i < 600; ++i) names.push_back(fmt::format("file{}", i));
  played_transfer played({}, names);
  played.answer({0, 0});
  std::uint64_t frames = 0;
  std::vector<formats::item_result> results;
  while (results.size() < names.size()) {
    REQUIRE(played.wait([&] { return played.agent.frames.size() > frames; }));
    frames = played.agent.frames.size();
    const auto told = formats::read_frame_records(played.agent.frames.back().bulk, [&](const formats::record& r) {
      if (const auto* end = std::get_if<formats::item_end>(&r)) results.push_back({end->number, 1, exists, ""});
      return done();
    });
    REQUIRE(told.ok());
    if (results.size() < names.size()) played.acknowledge(frames, {}, false);
  }
  played.acknowledge(frames, results, true);
  CHECK(played.result().failed == names.size());
  CHECK(played.agent.forgotten);
  CHECK_FALSE(played.agent.saved_after_the_end);
}

TEST_CASE("reading that waits for a record goes on when the queue manager takes records again") {
  std::vector<std::string> names;
  for (int i = 0; i < 3000; ++i) names.push_back(fmt::format("file{}", i));
  played_transfer played({}, names);
  played.answer({0, 0});
  REQUIRE(played.wait([&] { return !played.agent.frames.empty(); }));
  played.agent.keeps = false;
  std::uint64_t frames = 0;
  do {
    frames = played.agent.frames.size();
    std::vector<formats::item_result> results;
    REQUIRE(formats::read_frame_records(played.agent.frames.back().bulk, [&](const formats::record& r) {
              if (const auto* end = std::get_if<formats::item_end>(&r)) results.push_back({end->number, 1, exists, ""});
              return done();
            }).ok());
    played.acknowledge(frames, results, false);
  } while (played.wait_a_moment([&] { return played.agent.frames.size() > frames; }));
  CHECK(frames > 10);
  played.agent.keeps = true;
  CHECK(played.wait([&] { return played.agent.frames.size() > frames; }));
}

TEST_CASE("a destination's refusal is told to who waits") {
  played_transfer played;
  played.answer({}, 52, "BFGTR0016E: no");
  const auto result = played.result();
  CHECK(result.result_code == 52);
  CHECK(result.text == "BFGTR0016E: no");
}

TEST_CASE("results that an earlier run of the source missed are counted") {
  formats::source_record record;  // as it was saved last: nothing had a result
  record.sequence = 1;
  record.attempt = 5;
  record.log_sequence = 1;
  played_transfer played(record);
  CHECK(played.asked().results_from == 0);
  // The destination has all three, and tells again what became of them.
  played.answer({3, 0});
  played.acknowledge(0, {{0, 0, "", ""}, {1, 1, exists, ""}, {2, 0, "", ""}}, false);
  REQUIRE(played.wait([&] { return played.agent.frames.size() == 1; }));
  played.acknowledge(1, {}, true);
  const auto result = played.result();
  CHECK(result.result_code == 20);
  CHECK(result.items == 3);
  CHECK(result.failed == 1);
  CHECK_FALSE(played.source_exists("a"));
  CHECK(played.source_exists("b"));
}

TEST_CASE("a log event after a restart has a number that no earlier one had") {
  formats::source_record record;  // saved before three more events were published, or before any
  record.sequence = 1;
  record.attempt = 5;
  record.log_sequence = GENERATE(0U, 1U);
  played_transfer played(record);
  played.transfer()->cancel();
  (void)played.result();
  for (const auto& event : played.agent.events) CHECK(event.sequence > 4);
}

TEST_CASE("an acknowledgement of nothing makes the source ask again, once for each activation of the destination") {
  played_transfer played;
  played.answer({0, 0});
  REQUIRE(played.wait([&] { return played.agent.frames.size() == 1; }));
  const auto first = played.asked().attempt;
  const auto notice = [&](std::uint64_t epoch, std::uint64_t attempt) {
    played.transfer()->on_ack({played.asked().transfer_id, epoch, "run", attempt, 0, {}, {}, false, {}, {}});
    return played.asked().attempt;
  };
  CHECK(notice(1, first - 1) == first);
  CHECK(notice(2, first - 1) == first + 1);
  CHECK(notice(2, first - 1) == first + 1);
  CHECK(notice(2, first + 1) == first + 2);
}

TEST_CASE("a destination that is silent is asked whether it knows the question") {
  played_transfer played;
  const auto asked = [&] {
    return std::any_of(played.agent.sent.begin(), played.agent.sent.end(),
                       [](const auto& m) { return m.subject == formats::subject::transfer_query; });
  };
  CHECK_FALSE(asked());
  REQUIRE(played.wait(asked));
}

TEST_CASE("no more is read than the destination can tell the results of again") {
  std::vector<std::string> names;
  const std::uint64_t most = formats::results_told_again(1), count = most + 2 * formats::items_per_frame_max;
  for (std::uint64_t i = 0; i < count; ++i) names.push_back("f" + std::to_string(10000 + i));
  played_transfer played({}, names);
  played.agent.unfenced_from = std::numeric_limits<std::int64_t>::max() / 2;  // nothing may be deleted
  played.answer({0, 0});
  std::uint64_t arrived = 0;
  const auto take_all = [&] {
    for (std::size_t frames = 0;
         played.agent.loop().run_until([&] { return played.agent.frames.size() > frames; }, 500);) {
      std::vector<formats::item_result> results;
      const auto read = formats::read_frame_records(played.agent.frames[frames++].bulk, [&](const formats::record& r) {
        if (std::holds_alternative<formats::item_end>(r)) results.push_back({arrived++, 0, "", ""});
        return done();
      });
      REQUIRE(read.ok());
      played.acknowledge(frames, results, arrived == count);
    }
  };
  take_all();
  CHECK(arrived <= most);
  CHECK(arrived + formats::items_per_frame_max >= most);
}

TEST_CASE("a record never has the epoch of one destination instance with the run of another") {
  played_transfer played;
  played.answer({0, 0});
  REQUIRE(played.wait([&] { return played.agent.frames.size() == 1; }));
  formats::ack notice;  // from the next instance, which took over
  notice.transfer_id = std::string(48, 'a');
  notice.epoch = 2;
  notice.run = "another run";
  notice.attempt = played.asked().attempt;
  played.transfer()->on_ack(notice);
  REQUIRE(played.asked().attempt > notice.attempt);  // it asks the next one
  played.acknowledge(0, {{0, 0, "", ""}}, false);    // a source to delete, and so a record
  REQUIRE(played.wait([&] { return !played.source_exists("a"); }));
  CHECK(played.agent.records.back().peer_epoch == 2);
  for (const auto& record : played.agent.records) CHECK((record.peer_epoch == 2) == (record.peer_run == "another run"));
}

TEST_CASE("a list that nobody wants any more leaves the one of a newer record alone") {
  const temporary_directory where;
  fake_agent agent;
  agent.change_settings().plan_directory = where.path().string();
  auto request = std::make_shared<formats::transfer_request>();
  request->id = std::string(48, 'a');
  request->specs.emplace_back().source = (where.path() / "in").string();
  write_file(where.path() / "in", "content");
  plan_collector parts(agent);
  formats::source_record unplanned, planned;
  auto older = std::make_shared<source_plan>(agent, parts, request, unplanned, source_plan::handlers{});
  older->make();  // waits for its worker
  auto plan = plan_writer::create(where.path() / (request->id + ".plan"));
  REQUIRE(plan->finish().ok());
  const auto summary = summarise_plan(where.path() / (request->id + ".plan"));
  planned.plan_bytes = summary->bytes;
  planned.plan_parts = summary->parts;
  planned.plan_check = fmt::format("{:016x}", summary->check);
  older.reset();
  bool ready = false;
  const auto newer = std::make_shared<source_plan>(
      agent, parts, request, planned, source_plan::handlers{[] {}, [&] { ready = true; }, [](int, std::string) {}, {}});
  newer->find();
  REQUIRE(agent.loop().run_until([&] { return ready; }, 10000));
  std::size_t files = 0;
  for (const auto& left : fs::directory_iterator(where.path())) files += left.path().filename() == "in" ? 0 : 1;
  CHECK(files == 1);
}
