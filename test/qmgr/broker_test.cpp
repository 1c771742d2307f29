#include "qmgr/broker.hpp"

#include <catch2/catch.hpp>
#include <random>

using namespace baton::qmgr;

namespace {

constexpr connection_id us = 1;

// Plays the engine and the AMQP side for the core: a turn for each step, and a store that can be told to fail.
struct bench {
  broker core;
  std::int64_t now = 1000;
  bool store_fails = false;
  store_changes stored;
  std::vector<action> left;
  std::uint64_t temporary = 0;
  std::map<link_id, delivery_number> numbers;

  explicit bench(std::uint64_t memory = 1 << 20)
      : core({memory, 1 << 16, 1 << 20, [this] { return "TEMP." + std::to_string(++temporary); }}) {
    step(connection_opened{us, "us"});
  }
  queue_state& queue(const std::string& name, queue_attributes attributes = {}) {
    return core.define_queue(core.queues().size() + 1, name, attributes);
  }
  void turn() {
    commit();
    core.dispatch(now);
    commit();
    left.clear();
    for (auto& [connection, list] : core.take_actions()) {
      for (auto& one : list) left.push_back(std::move(one));
    }
  }
  void commit() {
    store_changes changes = core.take_changes();
    if (store_fails && !changes.empty()) return core.refused(std::move(changes), {"amqp:internal-error", "test"});
    if (!changes.empty()) stored = std::move(changes);
    core.committed();
  }
  void step(event happened) {
    core.handle(std::move(happened), now);
    turn();
  }
  void consumer(link_id link, const std::string& queue, std::uint64_t credit, int priority = 0,
                connection_id who = us) {
    core.handle(consumer_attached{who, link, queue, false, false, false, priority}, now);
    step(credit_given{link, credit, false});
  }
  void producer(link_id link, const std::string& queue) { step(producer_attached{us, link, queue}); }
  delivery_number send(link_id link, header head = {true, 4, 0, 0}, std::size_t size = 100) {
    auto body = std::make_shared<payload>(size);
    const delivery_number number = ++numbers[link];
    step(message_arrived{link, number, false, {head, 0}, body});
    return number;
  }
  void settle(link_id link, delivery_number number, outcome how, bool failed = false, bool undeliverable = false) {
    step(delivery_settled{link, number, how, failed, undeliverable, false});
  }
  template <class Kind>
  std::vector<Kind> all() const {
    std::vector<Kind> found;
    for (const action& one : left) {
      if (const auto* match = std::get_if<Kind>(&one)) found.push_back(*match);
    }
    return found;
  }
};

}  // namespace

TEST_CASE("a durable message is accepted once the store has it", "[qmgr]") {
  bench b;
  b.queue("Q");
  b.producer(1, "Q");
  b.send(1);
  REQUIRE(b.all<settle_arrival>().size() == 1);
  CHECK(b.all<settle_arrival>()[0].how == outcome::accepted);
  b.core.handle(message_arrived{1, 2, false, {{true, 4, 0, 0}, 0}, std::make_shared<payload>(5)}, b.now);
  CHECK(b.core.take_actions().empty());  // nothing leaves before the commit
}

TEST_CASE("when the store fails the turn's messages are refused and nobody sees them", "[qmgr]") {
  bench b;
  queue_state& q = b.queue("Q");
  b.producer(1, "Q");
  b.consumer(2, "Q", 10);
  b.store_fails = true;
  b.send(1);
  REQUIRE(b.all<settle_arrival>().size() == 1);
  CHECK(b.all<settle_arrival>()[0].how == outcome::rejected);
  CHECK(b.all<deliver>().empty());
  CHECK(q.messages.depth() == 0);
  b.store_fails = false;
  b.send(1);
  CHECK(b.all<deliver>().size() == 1);
}

TEST_CASE("what a consumer settled while the store failed is removed later", "[qmgr]") {
  bench b;
  b.queue("Q");
  b.producer(1, "Q");
  b.consumer(2, "Q", 10);
  b.send(1);
  b.store_fails = true;
  b.settle(2, 1, outcome::accepted);
  CHECK(b.core.has_changes());
  b.store_fails = false;
  b.core.handle(deliveries_sent{2, 1}, b.now);
  b.commit();
  CHECK(b.stored.removed.size() == 1);
}

TEST_CASE("deliveries follow credit", "[qmgr]") {
  bench b;
  b.queue("Q");
  b.producer(1, "Q");
  for (int i = 0; i < 5; ++i) b.send(1);
  b.consumer(2, "Q", 2);
  CHECK(b.all<deliver>().size() == 2);
  b.step(credit_given{2, 4, false});
  CHECK(b.all<deliver>().size() == 2);
}

TEST_CASE("a consumer that does not read is not handed more than its bytes", "[qmgr]") {
  bench b(64 << 20);
  b.queue("Q");
  b.producer(1, "Q");
  for (int i = 0; i < 5; ++i) b.send(1, {}, 600 * 1024);
  b.consumer(2, "Q", 100);
  CHECK(b.all<deliver>().size() == 2);  // 1 MiB is passed with the second
  b.step(deliveries_sent{2, 2});
  CHECK(b.all<deliver>().size() == 2);
}

TEST_CASE("single-active: the next one by priority, then by age, takes over what the holder had", "[qmgr]") {
  bench b;
  queue_state& q = b.queue("Q", {queue_type::single_active, 0, 0, overflow_policy::refuse, ""});
  b.producer(1, "Q");
  b.consumer(10, "Q", 5, 0);
  b.consumer(11, "Q", 5, 1);
  b.consumer(12, "Q", 5, 7);
  b.consumer(13, "Q", 5, 7);
  b.send(1);
  REQUIRE(b.all<deliver>().size() == 1);
  CHECK(b.all<deliver>()[0].link == 10);  // a higher priority does not push the holder out
  b.step(deliveries_sent{10, 1});
  b.step(link_gone{10});
  REQUIRE(b.all<deliver>().size() == 1);
  CHECK(b.all<deliver>()[0].link == 12);
  CHECK(b.all<deliver>()[0].head.delivery_count == 1);
  CHECK(q.active == 12);
  b.settle(12, 1, outcome::released);
  REQUIRE(b.all<deliver>().size() == 1);
  CHECK(b.all<deliver>()[0].link == 12);  // released comes back to the holder
}

TEST_CASE("a delivery that never left does not count as failed", "[qmgr]") {
  bench b;
  b.queue("Q");
  b.producer(1, "Q");
  b.consumer(2, "Q", 5);
  b.send(1);
  b.step(link_gone{2});
  b.consumer(3, "Q", 5);
  REQUIRE(b.all<deliver>().size() == 1);
  CHECK(b.all<deliver>()[0].head.delivery_count == 0);
}

TEST_CASE("exclusive refuses the second consumer and takes one when the first is gone", "[qmgr]") {
  bench b;
  b.queue("Q", {queue_type::exclusive, 0, 0, overflow_policy::refuse, ""});
  b.consumer(2, "Q", 1);
  b.step(consumer_attached{us, 3, "Q", false, false, false, 0});
  REQUIRE(b.all<close_link>().size() == 1);
  CHECK(b.all<close_link>()[0].why.condition == "amqp:resource-locked");
  b.step(link_gone{2});
  b.step(consumer_attached{us, 4, "Q", false, false, false, 0});
  CHECK(b.all<accept_link>().size() == 1);
}

TEST_CASE("a consumer may want a shared queue for itself", "[qmgr]") {
  bench b;
  b.queue("Q");
  const auto attach = [&b](link_id link, bool exclusive) {
    consumer_attached wanted{us, link, "Q", false, false, false, 0};
    wanted.exclusive = exclusive;
    b.step(wanted);
    return b.all<accept_link>().size() == 1;
  };
  CHECK(attach(2, true));
  CHECK_FALSE(attach(3, false));
  CHECK(b.all<close_link>().at(0).why.condition == "amqp:resource-locked");
  CHECK_FALSE(attach(4, true));
  b.step(link_gone{2});
  CHECK(attach(5, false));
  CHECK(attach(6, false));
  CHECK_FALSE(attach(7, true));
}

TEST_CASE("settlement outcomes", "[qmgr]") {
  bench b;
  queue_state& dead = b.queue("DEAD");
  queue_state& q = b.queue("Q", {queue_type::shared, 0, 0, overflow_policy::refuse, "DEAD"});
  b.producer(1, "Q");
  b.consumer(2, "Q", 100);
  b.send(1);
  SECTION("released comes again, unchanged") {
    b.settle(2, 1, outcome::released);
    CHECK(b.all<deliver>()[0].head.delivery_count == 0);
  }
  SECTION("modified as failed is counted") {
    b.settle(2, 1, outcome::modified, true);
    CHECK(b.all<deliver>()[0].head.delivery_count == 1);
  }
  SECTION("rejected goes to the dead-letter queue") {
    b.settle(2, 1, outcome::rejected);
    CHECK(q.messages.depth() == 0);
    CHECK(dead.messages.depth() == 1);
    CHECK(b.stored.moved.size() == 1);
  }
  SECTION("undeliverable with a single consumer is dead-lettered") {
    b.settle(2, 1, outcome::modified, true, true);
    CHECK(dead.messages.depth() == 1);
  }
  SECTION("undeliverable goes to another consumer when there is one") {
    b.consumer(3, "Q", 10);
    b.settle(2, 1, outcome::modified, true, true);
    REQUIRE(b.all<deliver>().size() == 1);
    CHECK(b.all<deliver>()[0].link == 3);
  }
}

TEST_CASE("expired messages are never delivered, and dead-lettered without expiry", "[qmgr]") {
  bench b;
  queue_state& dead = b.queue("DEAD");
  b.queue("Q", {queue_type::shared, 0, 0, overflow_policy::refuse, "DEAD"});
  b.producer(1, "Q");
  b.send(1, {true, 4, 50, 0});
  CHECK(b.core.watches_expiry());
  b.now += 50;
  b.consumer(2, "Q", 10);
  CHECK(b.all<deliver>().empty());
  CHECK(dead.messages.depth() == 1);
  CHECK_FALSE(b.core.watches_expiry());
}

TEST_CASE("what was held and comes back expires like what never left", "[qmgr]") {
  bench b;
  queue_state& queue = b.queue("Q");
  b.producer(1, "Q");
  b.consumer(2, "Q", 10);
  b.send(1, {true, 4, 50, 0});
  CHECK_FALSE(b.core.watches_expiry());
  b.step(link_gone{2});
  CHECK(b.core.watches_expiry());
  b.now += 50;
  b.core.expire_all(b.now);
  CHECK(queue.messages.depth() == 0);
  CHECK_FALSE(b.core.watches_expiry());
}

TEST_CASE("length limits refuse or drop the oldest", "[qmgr]") {
  bench b;
  queue_state& full = b.queue("FULL", {queue_type::shared, 2, 0, overflow_policy::refuse, ""});
  queue_state& ring = b.queue("RING", {queue_type::shared, 0, 250, overflow_policy::drop_oldest, ""});
  b.producer(1, "FULL");
  b.producer(2, "RING");
  for (int i = 0; i < 3; ++i) b.send(1);
  REQUIRE(b.all<settle_arrival>().size() == 1);
  CHECK(b.all<settle_arrival>()[0].why.condition == "amqp:resource-limit-exceeded");
  CHECK(full.messages.depth() == 2);
  for (int i = 0; i < 5; ++i) b.send(2);
  CHECK(ring.messages.depth() == 2);
  CHECK(ring.counters.dropped == 3);
}

TEST_CASE("memory for messages that are not stored is never passed", "[qmgr]") {
  bench b(100000);
  b.queue("Q");
  b.producer(1, "Q");
  for (int i = 0; i < 50; ++i) {
    b.send(1, {}, 5000);
    CHECK(b.core.memory_bytes() <= 100000);
  }
  CHECK(b.all<settle_arrival>()[0].how == outcome::rejected);
}

TEST_CASE("a deleted queue ends its links and forgets its memory", "[qmgr]") {
  bench b;
  b.queue("Q");
  b.producer(1, "Q");
  b.consumer(2, "Q", 1);
  b.send(1, {}, 1000);
  b.core.delete_queue("Q");
  b.turn();
  REQUIRE(b.all<close_link>().size() == 2);
  CHECK(b.all<close_link>()[0].why.condition == "amqp:resource-deleted");
  CHECK(b.core.memory_bytes() == 0);
  b.send(1);  // too late, and harmless
  b.settle(2, 1, outcome::accepted);
}

TEST_CASE("a temporary queue is its connection's own and ends with it", "[qmgr]") {
  bench b;
  b.step(connection_opened{2, "other"});
  b.step(consumer_attached{us, 5, "", true, false, false, 0});
  REQUIRE(b.all<accept_link>().size() == 1);
  const std::string name = b.all<accept_link>()[0].address;
  b.step(consumer_attached{2, 6, name, false, false, false, 0});
  CHECK(b.all<close_link>()[0].why.condition == "amqp:resource-locked");
  b.step(producer_attached{2, 7, name});
  CHECK(b.all<accept_link>().size() == 1);
  b.step(connection_gone{us});
  CHECK(b.core.find(name) == nullptr);
  REQUIRE(b.all<close_link>().size() == 1);
  CHECK(b.all<close_link>()[0].link == 7);
}

TEST_CASE("drain gives back what nothing waits for", "[qmgr]") {
  bench b;
  b.queue("Q");
  b.producer(1, "Q");
  b.send(1);
  b.core.handle(consumer_attached{us, 2, "Q", false, false, false, 0}, b.now);
  b.step(credit_given{2, 10, true});
  REQUIRE(b.left.size() >= 2);
  CHECK(b.all<deliver>().size() == 1);
  CHECK(std::holds_alternative<credit_drained>(b.left.back()));
  b.send(1);
  CHECK(b.all<deliver>().empty());
}

TEST_CASE("browsing shows copies and leaves the queue as it is", "[qmgr]") {
  bench b;
  queue_state& q = b.queue("Q", {queue_type::exclusive, 0, 0, overflow_policy::refuse, ""});
  b.producer(1, "Q");
  b.send(1);
  b.send(1);
  b.core.handle(consumer_attached{us, 2, "Q", false, true, false, 0}, b.now);
  b.step(credit_given{2, 10, false});
  CHECK(b.all<deliver>().size() == 2);
  CHECK(q.messages.ready_count() == 2);
  b.settle(2, 1, outcome::accepted);
  CHECK(q.messages.ready_count() == 2);
}

// Random steps; after each the books must balance. The seed is in the failure message.
TEST_CASE("random clients never unbalance the books", "[qmgr]") {
  const auto seed = GENERATE(take(20, random(1u, 1000000u)));
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const auto any = [&](std::uint32_t below) { return random() % below; };
  bench b(50000);
  b.queue("DEAD");
  for (const auto type : {queue_type::shared, queue_type::exclusive, queue_type::single_active}) {
    b.queue(std::string(to_string(type)),
            {type, any(2) * 20, any(2) * 5000, static_cast<overflow_policy>(any(2)), any(2) ? "DEAD" : ""});
  }
  const std::vector<std::string> names{"DEAD", "shared", "exclusive", "single-active"};
  for (link_id i = 0; i < 4; ++i) b.producer(100 + i, names[i]);
  std::map<link_id, std::vector<delivery_number>> open;
  link_id next = 1000;
  for (int i = 0; i < 2000; ++i) {
    b.now += any(20);
    b.store_fails = any(50) == 0;
    const auto kind = any(10);
    if (kind < 4) {
      b.send(100 + any(4), {any(2) == 0, static_cast<std::uint8_t>(any(10)), any(5) == 0 ? 30u : 0u, 0}, 1 + any(800));
    } else if (kind < 5 && open.size() < 8) {
      b.consumer(++next, names[any(4)], any(30), static_cast<int>(any(3)));
      if (b.core.container_of(next) == "us") open[next];
    } else if (kind < 9 && !open.empty()) {
      auto& [link, numbers] = *std::next(open.begin(), static_cast<long>(any(static_cast<std::uint32_t>(open.size()))));
      if (numbers.empty()) {
        b.step(credit_given{link, any(200), any(4) == 0});
      } else {
        const delivery_number number = numbers.back();
        numbers.pop_back();
        b.settle(link, number, static_cast<outcome>(any(4)), any(2) == 0, any(4) == 0);
      }
    } else if (!open.empty()) {
      const link_id link = open.begin()->first;
      open.erase(open.begin());
      b.step(link_gone{link});
    }
    for (const deliver& one : b.all<deliver>()) {
      if (open.contains(one.link)) open[one.link].push_back(one.delivery);
    }
    for (const auto& [name, queue] : b.core.queues()) {
      const std::uint64_t limit = queue->attributes.messages_max;
      REQUIRE((limit == 0 || queue->messages.depth() <= limit));
    }
    REQUIRE(b.core.memory_bytes() <= 50000 + (1 << 16));
  }
  for (const auto& name : names) b.core.delete_queue(name);
  CHECK(b.core.memory_bytes() == 0);
}
