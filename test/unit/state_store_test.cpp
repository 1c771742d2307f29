// The store against a queue that this test plays.
#include "agent/state_store.hpp"

#include <catch2/catch.hpp>
#include <deque>
#include <fstream>
#include <set>

#include "common/log.hpp"
#include "test/properties/temporary.hpp"

using namespace baton;
using agent::state_store;
using test::temporary_directory;

namespace {

const std::string id(48, 'a');

class played_queue {
 public:
  explicit played_queue(std::int64_t refresh_ms = 600000) {
    (void)open_log({});
    store.emplace(loop, "AGENT", (where_.path() / "quarantine").string(),
                  state_store::handlers{
                      [this](amqp::message m, std::function<void(amqp::outcome)> settled) {
                        queue.push_back(std::move(m));
                        if (settled) settled(refuse ? amqp::outcome::rejected : amqp::outcome::accepted);
                        if (refuse) queue.pop_back();
                      },
                      [this](amqp::delivery_id delivery, amqp::outcome how) { settle(delivery, how); },
                      [this] { ++credit; }, [this](const formats::source_record& r) { sources.push_back(r.sequence); },
                      [this](const formats::destination_record& r) { destinations.push_back(r.sequence); },
                      [this](const formats::plan_part& part, std::function<void()> kept) {
                        parts.push_back(part.number);
                        kept();
                      },
                      [this] { ++all_read; }},
                  refresh_ms);
  }
  // Everything that is on the queue is delivered.
  void deliver() {
    while (!queue.empty()) {
      auto m = std::move(queue.front());
      queue.pop_front();
      const auto delivery = ++last_;
      held[delivery] = m;
      ++deliveries;
      store->received(delivery, m);
    }
  }
  void put_source(std::uint64_t sequence) {
    formats::source_record r;
    r.transfer_id = id;
    r.sequence = sequence;
    put(formats::subject::source_record, to_json(r));
  }
  void put_part(std::uint32_t number, std::uint32_t count) {
    const std::string full(formats::plan_part_bytes, 'p');
    put(formats::subject::plan_part, to_bytes(formats::plan_part{id, 7, number, count, full}));
  }
  void put(const char* subject, std::string body) {
    amqp::message m;
    m.subject = subject;
    m.body = std::move(body);
    queue.push_back(std::move(m));
  }
  void save(std::uint64_t sequence) {
    formats::source_record r;
    r.transfer_id = id;
    r.sequence = sequence;
    store->save(r);
  }
  bool quarantined() const { return std::filesystem::is_directory(where_.path() / "quarantine"); }
  // A file where the directory would be, so that not even root can write there.
  void no_room(bool yes) {
    std::filesystem::remove_all(where_.path() / "quarantine");
    if (yes) std::ofstream(where_.path() / "quarantine") << "in the way";
  }

  event_loop loop;
  std::deque<amqp::message> queue;
  std::map<amqp::delivery_id, amqp::message> held;
  std::vector<std::string> gone;  // subjects of what was accepted, in their order
  std::vector<std::uint64_t> sources, destinations, parts;
  int credit = 0, deliveries = 0, all_read = 0, released = 0;
  bool refuse = false;
  std::optional<state_store> store;

 private:
  void settle(amqp::delivery_id delivery, amqp::outcome how) {
    if (how == amqp::outcome::accepted) gone.push_back(held.at(delivery).subject);
    const auto it = held.extract(delivery);
    REQUIRE(it);  // each once
    if (how != amqp::outcome::released) return;
    ++released;
    queue.push_front(it.mapped());
  }
  temporary_directory where_;
  amqp::delivery_id last_ = 0;
};

}  // namespace

TEST_CASE("an earlier activation's record is told once and held") {
  played_queue q;
  q.put_source(5);
  q.deliver();
  CHECK(q.sources == std::vector<std::uint64_t>{5});
  CHECK(q.held.size() == 1);
  q.store->forget_source(id);
  CHECK(q.held.empty());
}

TEST_CASE("the higher sequence wins in whatever order they come") {
  played_queue q;
  for (const std::uint64_t sequence : {5U, 3U, 9U, 8U}) q.put_source(sequence);
  q.deliver();
  CHECK(q.sources == std::vector<std::uint64_t>{5, 9});
  CHECK(q.held.size() == 1);
}

TEST_CASE("own records replace each other and are not told") {
  played_queue q;
  for (const std::uint64_t sequence : {0U, 1U, 2U}) q.save(sequence);
  q.deliver();
  CHECK(q.sources.empty());
  CHECK(q.held.size() == 1);
  CHECK(q.credit == q.deliveries);
}

TEST_CASE("a record that was adopted does not come back when a fresh one was saved before it came") {
  played_queue q;
  q.save(0);  // the request was delivered again
  q.put_source(5);
  q.deliver();
  CHECK(q.sources == std::vector<std::uint64_t>{5});
  q.save(1000005);
  q.deliver();
  CHECK(q.held.size() == 1);
  CHECK(q.sources.size() == 1);
}

TEST_CASE("what comes late of a transfer that has ended is settled") {
  played_queue q;
  q.save(0);
  q.deliver();
  q.save(1);
  q.store->forget_source(id);
  q.deliver();
  CHECK(q.held.empty());
  CHECK(q.sources.empty());
}

TEST_CASE("a plan stays until the last record of its transfer is gone, which could not go on without it") {
  played_queue q;
  q.save(0);
  q.put_part(0, 1);
  q.deliver();
  REQUIRE(q.held.size() == 2);
  q.save(1);
  q.store->forget_source(id);
  CHECK(q.held.size() == 1);
  CHECK(q.held.begin()->second.subject == formats::subject::plan_part);
  q.deliver();
  CHECK(q.held.empty());
  CHECK(q.gone.back() == formats::subject::plan_part);
}

TEST_CASE("what is held is given back in time and is not taken for another's") {
  played_queue q(20);
  q.put_source(5);
  q.put_part(0, 2);
  q.deliver();
  q.loop.run_until([&] { return q.released >= 2; }, 10000);
  CHECK(q.released >= 2);
  q.deliver();
  CHECK(q.sources == std::vector<std::uint64_t>{5});
  CHECK(q.parts == std::vector<std::uint64_t>{0});
  CHECK(q.held.size() == 2);
  CHECK(q.credit == q.deliveries);
  q.store->forget_source(id);
  CHECK(q.held.empty());
}

TEST_CASE("a transfer that ends while its record was given back leaves nothing") {
  played_queue q(20);
  q.put_source(5);
  q.put_part(0, 2);
  q.deliver();
  q.loop.run_until([&] { return q.released >= 2; }, 10000);
  q.store->forget_source(id);
  q.deliver();
  CHECK(q.held.empty());
  CHECK(q.sources.size() == 1);
}

TEST_CASE("parts of another plan than the record's are settled") {
  played_queue q;
  q.put_part(0, 2);
  q.deliver();
  formats::source_record r;
  r.transfer_id = id;
  r.sequence = 1;
  r.planned = true;
  r.plan_check = "8";
  q.store->save(r);
  CHECK(q.held.empty());
  q.put_part(1, 2);
  q.deliver();
  CHECK(q.held.size() == 1);  // the record
}

TEST_CASE("what cannot be read is put aside and the rest goes on") {
  played_queue q;
  q.put("state.source", "{}");
  q.put("state.destination", "garbage");
  q.put("state.plan", "BTNQ");
  q.put("something", "else");
  q.put_source(5);
  q.deliver();
  CHECK(q.quarantined());
  CHECK(q.held.size() == 1);
  CHECK(q.sources.size() == 1);
  CHECK(q.credit == q.deliveries);
}

TEST_CASE("what cannot be read stays on the queue while there is no room to put it aside") {
  played_queue q(20);
  q.no_room(true);
  q.put("something", "else");
  q.deliver();
  CHECK(q.held.size() == 1);
  CHECK(q.credit == q.deliveries);
  q.loop.run_until([&] { return q.released > 0; }, 10000);
  q.no_room(false);
  q.deliver();
  CHECK(q.held.empty());
  CHECK(q.quarantined());
}

TEST_CASE("the mark comes back behind what was there") {
  played_queue q;
  q.put("state.mark", "of another run");
  q.put_source(5);
  q.store->mark();
  q.deliver();
  CHECK(q.all_read == 1);
  CHECK(q.held.size() == 1);
}

TEST_CASE("a record that the queue manager refuses is not waited for") {
  played_queue q;
  q.refuse = true;
  bool kept = true;
  formats::source_record r;
  r.transfer_id = id;
  q.store->save(r, [&](bool k) { kept = k; });
  CHECK_FALSE(kept);
  q.store->forget_source(id);
  CHECK(q.held.empty());
}

TEST_CASE("the store is quiet when what was forgotten has left the queue") {
  played_queue q;
  int quiet = 0;
  formats::source_record record;
  record.transfer_id = id;
  record.sequence = 1;
  q.store->save(record, nullptr);
  q.store->forget_source(id);  // while the record is still on its way
  q.store->when_quiet([&] { ++quiet; });
  CHECK(quiet == 0);
  q.deliver();
  CHECK(quiet == 1);
  CHECK(q.held.empty());
  q.store->when_quiet([&] { ++quiet; });
  CHECK(quiet == 2);
}

TEST_CASE("state store: what leaves for another queue manager is what goes on there, and the rest stays") {
  played_queue q;
  q.put_source(1);
  q.put_part(0, 1);
  q.deliver();
  const auto none = [](const std::string&) { return false; };
  const auto all = [](const std::string&) { return true; };
  CHECK(q.store->held(none, all).empty());
  const auto both = q.store->held(all, none);
  REQUIRE(both.size() == 2);
  q.store->settle(q.store->held(none, none));
  CHECK(q.held.size() == 2);
  q.store->settle(both);
  CHECK(q.held.empty());
}
