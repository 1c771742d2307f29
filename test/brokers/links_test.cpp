// The broker port against a real RabbitMQ: what goes wrong with one link stays with that link, and the rest of the
// traps of decision 009.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "client.hpp"
#include "common/amqp/requester.hpp"
#include "common/amqp/sender_cache.hpp"

using namespace baton;
using namespace baton::test;
using formats::queue_kind;

TEST_CASE("broker: a receiver of a missing queue is lost, and nothing else") {
  const own_queue queue;
  client c(broker());
  const auto from = c.receiver(queue.name);
  const auto to = c.sender(queue.name);
  const auto missing = c.receiver("SYSTEM.FTE.TEST.NO.SUCH.QUEUE", 1, false);
  c.until("the link is lost", [&] { return c.lost.count(missing) > 0; });
  CHECK(c.lost.at(missing).code == errc::not_found);
  CHECK(c.lost.at(missing).text.find("SYSTEM.FTE.TEST.NO.SUCH.QUEUE") != std::string::npos);
  CHECK(c.opened.at(from) == queue.name);
  c.send(to, text("still here"));
  CHECK(c.take().content.body == "still here");
  CHECK(c.lost.size() == 1);
  CHECK_FALSE(c.gone);
}

TEST_CASE("broker: of many senders those that are needed stay open") {
  const own_queue queue;
  client c(broker());
  amqp::sender_cache cache(false, [&queue](const std::string& address) { return address == queue.name; });
  const auto keep = [&] {
    const auto sent = cache.send(c.link, queue.name, text("kept"));
    c.until("it is answered", [&] { return c.outcomes.count(sent) > 0; });
  };
  keep();
  for (std::size_t i = 1; i <= amqp::sender_cache::senders_max; ++i) {
    cache.send(c.link, "SYSTEM.FTE.TEST.NO.SUCH.QUEUE." + std::to_string(i), text("of no use"));
    // A link that is closed before it was answered ends the connection on some kinds.
    c.until("there is no such queue", [&] { return c.lost.size() == i; });
  }
  keep();
  CHECK(std::count_if(c.opened.begin(), c.opened.end(), [&](const auto& one) { return one.second == queue.name; }) ==
        1);
}

TEST_CASE("broker: bodies of every length arrive as they were sent") {
  const own_queue queue;
  client c(broker());
  const auto to = c.sender(queue.name);
  c.receiver(queue.name, 10);
  for (const std::size_t bytes : std::initializer_list<std::size_t>{0, 1, 255, 256, 65536, 300000}) {
    std::string body(bytes, '\0');
    for (std::size_t i = 0; i < bytes; ++i) body[i] = static_cast<char>(i * 7);
    c.send(to, text(body));
    const auto got = c.take().content;
    CHECK(got.body == body);
    CHECK(got.bulk.empty());
  }
}

TEST_CASE("broker: a stream is settled when it is sent, and comes as fast as credit is given") {
  const own_queue queue;
  client c(broker());
  const auto to = c.link.open_sender(queue.name, true);
  amqp::receiver_options stream;
  stream.address = queue.name;
  stream.credit = 2;
  stream.stream = true;
  const auto from = c.link.open_receiver(stream);
  c.until("both are open", [&] { return c.opened.count(to) > 0 && c.opened.count(from) > 0; });
  constexpr std::size_t bytes = 300000;
  for (const char each : {'a', 'b', 'c', 'd', 'e'}) {
    amqp::message one;
    one.durable = false;
    one.bulk = byte_buffer(std::string(bytes, each));
    c.link.send(to, std::move(one));
  }
  std::vector<held_bytes> held;
  const auto take = [&](char each) {
    const auto got = c.take().content;
    CHECK(got.body.empty());
    CHECK(std::string_view(got.bulk) == std::string(bytes, each));
    held.push_back(got.bulk);
  };
  take('a');
  take('b');
  CHECK(c.messages.empty());
  c.link.add_credit(from, 10);
  for (const char each : {'c', 'd', 'e'}) take(each);
  CHECK(c.outcomes.empty());
  // Nothing is held: a reader that goes gives nothing back.
  c.link.close_link(from);
  const auto next = c.receiver(queue.name);
  c.send(c.sender(queue.name), text("behind them"));
  const auto last = c.take();
  CHECK(last.link == next);
  CHECK(last.content.body == "behind them");
  // What arrived stays as it was, whatever comes on the link afterwards and when that is closed.
  CHECK(held.size() == 5);
  for (std::size_t i = 0; i < held.size(); ++i)
    CHECK(std::string_view(held[i]) == std::string(bytes, static_cast<char>('a' + i)));
}

TEST_CASE("broker: a receiver that drains has all that there was, and can go on") {
  if (!speech().can_drain()) return;
  const own_queue queue;
  client c(broker());
  const auto to = c.sender(queue.name);
  const auto from = c.receiver(queue.name, 0);
  const auto drain = [&](std::uint32_t credit, int times) {
    c.link.add_credit(from, credit);
    c.link.drain(from);
    c.until("it is drained", [&] { return c.drained_times[from] == times; });
  };
  drain(10, 1);
  CHECK(c.messages.empty());
  constexpr std::size_t count = 500;
  for (std::size_t i = 0; i < count; ++i) c.link.send(to, text(std::to_string(i)));
  c.until("all are accepted", [&] { return c.outcomes.size() == count; });
  drain(1000, 2);
  CHECK(c.messages.size() == count);
  for (std::size_t i = 0; i < c.messages.size(); ++i) CHECK(c.messages[i].content.body == std::to_string(i));
  drain(5, 3);
  CHECK(c.messages.size() == count);
  // The credit of a drain is gone; more is granted as before.
  c.messages.clear();
  c.send(to, text("behind them"));
  c.link.add_credit(from, 1);
  CHECK(c.take().content.body == "behind them");
}

TEST_CASE("broker: what it cannot do is refused instead of done otherwise") {
  const own_queue queue;
  client c(broker());
  c.send(c.sender(queue.name), text("x"));
  amqp::receiver_options browse, dynamic;
  browse.address = queue.name;
  browse.browse = true;
  dynamic.dynamic = true;
  const auto a = c.link.open_receiver(browse), b = c.link.open_receiver(dynamic);
  const auto answered = [&](amqp::link_id link) { return c.lost.count(link) > 0 || c.opened.count(link) > 0; };
  c.until("both are answered", [&] { return answered(a) && answered(b); });
  CHECK(c.opened.count(a) == speech().can_browse());
  CHECK(c.opened.count(b) == speech().has_dynamic_queues());
  for (const auto& [link, why] : c.lost) CHECK(why.code == errc::not_permitted);
  if (!speech().can_browse()) return;
  CHECK(c.take().content.body == "x");
  c.link.close_link(a);
  c.receiver(queue.name);
  CHECK(c.take().content.body == "x");  // it has stayed
}

TEST_CASE("broker: a second consumer of an exclusive queue is refused, or parked, as the dialect says") {
  const own_queue queue(queue_kind::exclusive);
  client first(broker()), second(broker());
  const auto holder = first.receiver(queue.name);
  const auto other = second.receiver(queue.name, 1, false);
  if (speech().refuses_second_consumer(queue_kind::exclusive)) {
    second.until("it is refused", [&] { return second.lost.count(other) > 0; });
    CHECK(second.lost.at(other).code == errc::in_use);
    CHECK(second.lost.at(other).text.find(queue.name) != std::string::npos);
    first.link.close_link(holder);
    const auto started = boot_time_ms();
    for (amqp::link_id again = 0; second.opened.count(again) == 0;) {
      REQUIRE(boot_time_ms() - started < deadline_ms);
      second.loop.run_until([] { return false; }, 20);  // each try is a session, of which brokers allow so many
      again = second.receiver(queue.name, 1, false);
      second.until("it is answered", [&] { return second.lost.count(again) > 0 || second.opened.count(again) > 0; });
    }
  } else {
    second.until("it is parked", [&] { return second.opened.count(other) > 0; });
    first.link.close_link(holder);
  }
  second.send(second.sender(queue.name), text("x"));
  CHECK(second.take().content.body == "x");
}

TEST_CASE("broker: a closed link gives back what it held") {
  const own_queue queue;
  client c(broker());
  c.send(c.sender(queue.name), text("x"));
  const auto first = c.receiver(queue.name);
  CHECK(c.take().content.body == "x");
  c.link.close_link(first);
  const auto second = c.receiver(queue.name);
  CHECK(c.take().link == second);
  CHECK(c.lost.empty());
}

TEST_CASE("broker: released and modified messages come again on the same link") {
  const own_queue queue;
  client c(broker());
  c.send(c.sender(queue.name), text("x"));
  const auto from = c.receiver(queue.name);
  for (const auto how : {amqp::outcome::released, amqp::outcome::modified}) {
    const auto got = c.take();
    c.link.settle(got.delivery, how);
    c.link.add_credit(from, 1);
  }
  c.link.settle(c.take().delivery, amqp::outcome::accepted);
  CHECK(c.lost.empty());
}

// While more is arriving: closed without a goodbye to its sessions, this lost hundreds of settlements in one of four
// rounds.
TEST_CASE("broker: what is accepted just before the connection closes does not come again") {
  constexpr std::size_t count = 4000, taken = 2000;
  for (int round = 0; round < 4; ++round) {
    const own_queue queue;
    {
      client c(broker());
      const auto to = c.sender(queue.name);
      for (std::size_t i = 0; i < count; ++i) c.link.send(to, text(std::to_string(i)));
      c.until("all are sent", [&] { return c.outcomes.size() == count; });
      const auto from = c.receiver(queue.name, 100);
      for (std::size_t i = 0; i < taken; ++i) {
        c.link.settle(c.take().delivery, amqp::outcome::accepted);
        c.link.add_credit(from, 1);
      }
      c.link.close();
    }
    client c(broker());
    c.receiver(queue.name, count);
    std::set<std::size_t> left;
    while (left.size() < count - taken) {
      const auto number = std::stoul(c.take().content.body);
      REQUIRE(number >= taken);
      left.insert(number);
    }
  }
}

// What waits for the peer's goodbye must not outlive the connection.
TEST_CASE("broker: connections that end in every way leave nothing behind that fires later") {
  const own_queue queue;
  for (int i = 0; i < 5; ++i) {
    client c(broker());
    c.receiver(queue.name);
    c.link.close();
  }
  client c(broker());
  const auto to = c.sender(queue.name);
  c.loop.run_until([] { return false; }, 1500);
  c.send(to, text("alive"));
}

TEST_CASE("broker: all ten priorities overtake each other, and arrive as they were sent") {
  const own_queue queue(queue_kind::exclusive, true);
  client c(broker());
  const auto to = c.sender(queue.name);
  for (const int priority : {4, 0, 9, 3, 5, 1, 8, 2, 7, 6}) {
    auto one = text(std::to_string(priority));
    one.priority = static_cast<std::uint8_t>(priority);
    c.send(to, one);
  }
  c.receiver(queue.name, 10);
  for (int expected = 9; expected >= 0; --expected) {
    const auto got = c.take().content;
    CHECK(got.body == std::to_string(expected));
    CHECK(got.priority == expected);
  }
}

TEST_CASE("broker: a message arrives as it was sent") {
  const own_queue queue;
  client c(broker());
  auto one = text(std::string("\0\xff body", 7));
  one.id = "id";
  one.correlation_id = "correlation";
  one.subject = "subject";
  one.reply_to = "SYSTEM.FTE.REPLY.A";
  one.group_id = "group";
  one.properties = {{"a", "1"}, {"b", "two"}};
  one.ttl_ms = 60000;
  c.send(c.sender(queue.name), one);
  c.receiver(queue.name);
  const auto got = c.take().content;
  CHECK(got.body == one.body);
  CHECK(got.id == "id");
  CHECK(got.correlation_id == "correlation");
  CHECK(got.subject == "subject");
  CHECK(got.reply_to == "SYSTEM.FTE.REPLY.A");
  CHECK(got.group_id == "group");
  CHECK(got.properties == one.properties);
  CHECK(got.durable);
}

// As scripts/broker sets each of them up.
TEST_CASE("broker: when it drops a silent client is known") {
  client c(broker());
  c.until("connected", [&] { return c.connected; });
  const std::map<amqp::broker_kind, std::int64_t> after_ms{{amqp::broker_kind::embedded, 4500},
                                                           {amqp::broker_kind::rabbitmq, 4100},
                                                           {amqp::broker_kind::artemis, 4750},
                                                           {amqp::broker_kind::qpid, 5000}};
  CHECK(speech().drops_after_ms(c.link.peer_idle_timeout_ms()) == after_ms.at(broker().peer.kind));
}

// Not a test: the other process of the next one. It holds the first message of a queue until it is killed.
TEST_CASE("holder", "[.]") {
  client c(broker());
  c.receiver(std::getenv("BATON_TEST_QUEUE"));
  (void)c.take();
  CHECK(write(STDOUT_FILENO, "held", 4) == 4);
  c.loop.run();
}

namespace {

// A process that holds the first message of a queue.
class holder {
 public:
  explicit holder(const std::string& queue) {
    int pipe_ends[2];
    REQUIRE(pipe(pipe_ends) == 0);
    setenv("BATON_TEST_QUEUE", queue.c_str(), 1);
    process_ = fork();
    if (process_ == 0) {
      dup2(pipe_ends[1], STDOUT_FILENO);
      execl("/proc/self/exe", "brokers_test", "holder", nullptr);
      _exit(127);
    }
    close(pipe_ends[1]);
    char held[4];
    const auto got = read(pipe_ends[0], held, sizeof held);
    close(pipe_ends[0]);
    REQUIRE(got == 4);
    REQUIRE(std::string_view(held, 4) == "held");  // and not what a failed one says
  }
  ~holder() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  holder(const holder&) = delete;
  holder& operator=(const holder&) = delete;

 private:
  pid_t process_ = 0;
};

// As the lock's tokens are: Broker-J needs the group.
amqp::message token_of(const own_queue& queue) {
  auto token = text("token");
  token.group_id = queue.name;
  return token;
}

}  // namespace

TEST_CASE("broker: of two consumers the first is active, and the second as soon as the first is killed") {
  const own_queue queue(queue_kind::single_active);
  client c(broker());
  c.send(c.sender(queue.name), token_of(queue));
  auto first = std::make_unique<holder>(queue.name);
  c.receiver(queue.name);  // it is parked, and nobody says so
  CHECK_FALSE(speech().refuses_second_consumer(queue_kind::single_active));
  c.loop.run_until([&] { return !c.messages.empty(); }, 300);
  CHECK(c.messages.empty());
  first.reset();
  CHECK(c.take().content.body == "token");
}

// Artemis as it comes gives up a message whose holders have died often enough.
TEST_CASE("broker: a token is there however many of its holders were killed") {
  const own_queue queue(queue_kind::single_active);
  client c(broker());
  c.send(c.sender(queue.name), token_of(queue));
  for (int kills = 0; kills < 40; ++kills) holder dies_at_once(queue.name);
  c.receiver(queue.name);
  CHECK(c.take().content.body == "token");
}

TEST_CASE("broker: requests are answered, and unknown queues are said to be unknown") {
  const own_queue queue;
  std::thread echo([&] {
    client c(broker());
    c.receiver(queue.name);
    const auto question = c.take().content;
    auto answer = text("to " + question.body);
    answer.correlation_id = question.correlation_id;
    c.send(c.sender(question.reply_to), answer);
  });
  auto conversation = amqp::requester::connect(broker(), deadline_ms);
  const auto answer = conversation ? (*conversation)->request(queue.name, text("question"), deadline_ms)
                                   : result<amqp::message>(conversation.error());
  echo.join();
  REQUIRE(answer.ok());
  CHECK(answer->body == "to question");
  const std::string replies = (*conversation)->reply_address();
  if (!speech().has_dynamic_queues()) CHECK(replies.find("SYSTEM.FTE.REPLY.COMMAND.") == 0);
  const auto started = boot_time_ms();
  CHECK((*conversation)->send("SYSTEM.FTE.TEST.NO.SUCH.QUEUE", text("x"), deadline_ms).error().code == errc::not_found);
  CHECK(boot_time_ms() - started < 5000);
  *conversation = nullptr;
  client waiting(broker());
  for (;;) {
    const auto there = speech().exists(broker(), replies, deadline_ms);
    INFO((there ? "" : there.error().text));
    REQUIRE(there.ok());
    if (!*there) break;
    REQUIRE(boot_time_ms() - started < deadline_ms);
    waiting.loop.run_until([] { return false; }, 20);
  }
}
