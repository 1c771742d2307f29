// What readers of a queue leave for each other, against a real queue manager.
#include "agent/queue/journal.hpp"

#include <catch2/catch.hpp>
#include <memory>

#include "client.hpp"

using namespace baton;
using namespace baton::test;

namespace {

// An agent that has the queue, until it dies.
class reader : public amqp::connection_events {
 public:
  reader(const std::string& queue, const std::string& name)
      : book_(queue, name, name), link_(std::make_unique<amqp::connection>(loop_, broker(), *this)) {
    book_.open(*link_, [this] { known_ = true; });
    until("what others left is known", [this] { return known_; });
  }
  void takes(const std::string& transfer, const std::string& first) {
    bool written = false;
    book_.write(transfer, first, [&written] { written = true; });
    until("the journal is written", [&written] { return written; });
  }
  bool is_overtaken(const std::string& transfer) const { return book_.is_overtaken(transfer); }

 private:
  template <class Condition>
  void until(const char* what, Condition condition) {
    INFO(what);
    REQUIRE(loop_.run_until(condition, deadline_ms));
  }
  void connection_lost(const error& why) override { FAIL(why.text); }
  void link_lost(amqp::link_id, const error& why) override { FAIL(why.text); }
  void received(amqp::link_id link, amqp::delivery_id delivery, amqp::message&& content) override {
    if (book_.has(link)) book_.received(delivery, content);
  }
  void sent(amqp::send_id id, amqp::outcome how) override { (void)book_.sent(id, how); }

  event_loop loop_;
  queue::journal book_;
  std::unique_ptr<amqp::connection> link_;
  bool known_ = false;
};

}  // namespace

TEST_CASE("broker: who finds the first message of another reader still there says so, and that one learns it") {
  const own_queue queue;
  reader(queue.name, "one").takes("X", "a");
  reader(queue.name, "two").takes("Y", "a");
  CHECK(reader(queue.name, "one").is_overtaken("X"));
  CHECK_FALSE(reader(queue.name, "two").is_overtaken("Y"));
}

TEST_CASE("broker: who finds others there knows that the reader before has taken its messages") {
  const own_queue queue;
  reader(queue.name, "one").takes("X", "a");
  reader two(queue.name, "two");
  for (const char* transfer : {"Y", "Z"}) two.takes(transfer, transfer);
  CHECK_FALSE(two.is_overtaken("X"));
}

TEST_CASE("broker: a reader that comes back with the same messages overtakes nobody") {
  const own_queue queue;
  reader(queue.name, "one").takes("X", "a");
  reader(queue.name, "one").takes("X", "a");
  CHECK_FALSE(reader(queue.name, "two").is_overtaken("X"));
}

TEST_CASE("broker: what is no journal is passed over") {
  const own_queue queue;
  client stranger(broker());
  stranger.send(stranger.sender(queue.name), text("{\"sequence\":"));
  reader one(queue.name, "one");
  one.takes("X", "a");
  CHECK_FALSE(one.is_overtaken("X"));
}
