// A client of the broker port for tests: it keeps what it is told, and waits for it with a deadline.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/amqp/connection.hpp"
#include "common/amqp/dialect.hpp"
#include "common/loop.hpp"

namespace baton::test {

constexpr std::int64_t deadline_ms = 20000;

// The broker that ctest started; see CMakeLists.txt.
amqp::connection_options broker();
const amqp::dialect& speech();
// A queue of this test alone, removed at its end.
class own_queue {
 public:
  explicit own_queue(formats::queue_kind kind = formats::queue_kind::shared, bool priorities = false);
  ~own_queue();
  own_queue(const own_queue&) = delete;
  own_queue& operator=(const own_queue&) = delete;
  const std::string name;
};

class client : public amqp::connection_events {
 public:
  explicit client(const amqp::connection_options& where) : link(loop, where, *this) {}

  struct arrived {
    amqp::link_id link = 0;
    amqp::delivery_id delivery = 0;
    amqp::message content;
  };

  template <class Condition>
  void until(const char* what, Condition condition) {
    INFO(what);
    const bool held = loop.run_until([&] { return condition() || gone; }, deadline_ms);
    if (gone) FAIL(what << ": " << gone->text);
    REQUIRE(held);
  }
  amqp::link_id receiver(const std::string& queue, std::uint32_t credit = 1, bool wait = true) {
    amqp::receiver_options options;
    options.address = queue;
    options.credit = credit;
    const auto made = link.open_receiver(options);
    if (wait) until("the receiver is open", [&] { return opened.count(made) > 0; });
    return made;
  }
  amqp::link_id sender(const std::string& queue) {
    const auto made = link.open_sender(queue);
    until("the sender is open", [&] { return opened.count(made) > 0; });
    return made;
  }
  void send(amqp::link_id to, amqp::message content) {
    const auto id = link.send(to, std::move(content));
    until("the message is settled", [&] { return outcomes.count(id) > 0; });
    CHECK(outcomes.at(id) == amqp::outcome::accepted);
  }
  arrived take() {
    until("a message arrives", [&] { return !messages.empty(); });
    auto first = std::move(messages.front());
    messages.erase(messages.begin());
    return first;
  }

  event_loop loop;
  bool connected = false;
  std::optional<error> gone;
  std::map<amqp::link_id, std::string> opened;
  std::map<amqp::link_id, error> lost;
  std::vector<arrived> messages;
  std::map<amqp::link_id, int> drained_times;
  std::map<amqp::send_id, amqp::outcome> outcomes;
  amqp::connection link;

 private:
  void connection_opened() override { connected = true; }
  void connection_lost(const error& why) override { gone = why; }
  void link_opened(amqp::link_id id, const std::string& address) override { opened[id] = address; }
  void link_lost(amqp::link_id id, const error& why) override { lost.emplace(id, why); }
  void received(amqp::link_id id, amqp::delivery_id delivery, amqp::message&& content) override {
    messages.push_back({id, delivery, std::move(content)});
  }
  void drained(amqp::link_id id) override { ++drained_times[id]; }
  void sent(amqp::send_id id, amqp::outcome how) override { outcomes[id] = how; }
};

inline amqp::message text(const std::string& body) {
  amqp::message out;
  out.body = body;
  return out;
}

}  // namespace baton::test
