#include "qmgr/queue.hpp"

#include <catch2/catch.hpp>

using namespace baton::qmgr;

namespace {
entry of_size(std::size_t size, std::int64_t expires_ms = 0, std::int64_t arrived_ms = 0) {
  entry made;
  made.size = size;
  made.expires_ms = expires_ms;
  made.arrived_ms = arrived_ms;
  return made;
}
std::vector<std::uint64_t> order_of(message_queue queue) {
  std::vector<std::uint64_t> found;
  position at;
  while (queue.first(at) != nullptr) {
    found.push_back(at.sequence);
    queue.take(at);
  }
  return found;
}
}  // namespace

TEST_CASE("messages wait by priority, then by arrival", "[qmgr]") {
  message_queue queue;
  queue.add({5, 1}, of_size(1));
  queue.add({0, 2}, of_size(1));
  queue.add({5, 3}, of_size(1));
  queue.add({0, 4}, of_size(1));
  CHECK(order_of(queue) == std::vector<std::uint64_t>{2, 4, 1, 3});
}

TEST_CASE("what comes back waits at its old place", "[qmgr]") {
  message_queue queue;
  for (std::uint64_t i = 1; i <= 3; ++i) queue.add({5, i}, of_size(10));
  queue.hold({5, 1});
  queue.hold({5, 2});
  CHECK(queue.ready_count() == 1);
  CHECK(queue.depth() == 3);
  queue.put_back({5, 2});
  queue.put_back({5, 1});
  CHECK(order_of(queue) == std::vector<std::uint64_t>{1, 2, 3});
}

TEST_CASE("bytes and depth follow what is taken, ready or held", "[qmgr]") {
  message_queue queue;
  queue.add({5, 1}, of_size(10));
  queue.add({5, 2}, of_size(20));
  queue.hold({5, 1});
  CHECK(queue.bytes() == 30);
  queue.take({5, 1});
  CHECK(queue.bytes() == 20);
  queue.take({5, 2});
  CHECK(queue.bytes() == 0);
  CHECK(queue.depth() == 0);
}

TEST_CASE("only messages that wait expire", "[qmgr]") {
  message_queue queue;
  queue.add({5, 1}, of_size(1, 100));
  queue.add({5, 2}, of_size(1, 100));
  queue.add({5, 3}, of_size(1, 200));
  queue.hold({5, 1});
  CHECK(queue.expired(99).empty());
  CHECK(queue.expired(100) == std::vector<position>{{5, 2}});
  queue.put_back({5, 1});
  CHECK(queue.expired(100).size() == 2);
}

TEST_CASE("the oldest is found across priorities", "[qmgr]") {
  message_queue queue;
  CHECK_FALSE(queue.oldest_ready());
  queue.add({0, 7}, of_size(1, 0, 700));
  queue.add({9, 3}, of_size(1, 0, 300));
  queue.add({5, 5}, of_size(1, 0, 500));
  CHECK(queue.oldest_ready() == position{9, 3});
  queue.hold({9, 3});
  CHECK(queue.oldest_ready() == position{5, 5});
  CHECK(queue.oldest_arrival_ms() == 300);
}

TEST_CASE("moving what is not there is a bug that shows", "[qmgr]") {
  message_queue queue;
  CHECK_THROWS_AS(queue.hold({5, 1}), std::logic_error);
  CHECK_THROWS_AS(queue.put_back({5, 1}), std::logic_error);
  CHECK_THROWS_AS(queue.take({5, 1}), std::logic_error);
}
