// The broker port against a real RabbitMQ: what goes wrong with one link stays with that link, and the rest of the
// traps of decision 009.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "client.hpp"
#include "common/amqp/requester.hpp"

using namespace baton;
using namespace baton::test;
using formats::queue_kind;

TEST_CASE("rabbitmq: a receiver of a missing queue is lost, and nothing else") {
  const own_queue queue;
  client c(rabbitmq());
  const auto from = c.receiver(queue.name);
  const auto to = c.sender(queue.name);
  const auto missing = c.receiver("TEST.NO.SUCH.QUEUE", 1, false);
  c.until("the link is lost", [&] { return c.lost.count(missing) > 0; });
  CHECK(c.lost.at(missing).code == errc::not_found);
  CHECK(c.lost.at(missing).text.find("TEST.NO.SUCH.QUEUE") != std::string::npos);
  CHECK(c.opened.at(from) == queue.name);
  c.send(to, text("still here"));
  CHECK(c.take().content.body == "still here");
  CHECK(c.lost.size() == 1);
  CHECK_FALSE(c.gone);
}

TEST_CASE("rabbitmq: bodies of every length arrive as they were sent") {
  const own_queue queue;
  client c(rabbitmq());
  const auto to = c.sender(queue.name);
  c.receiver(queue.name, 10);
  for (const std::size_t bytes : {0, 1, 255, 256, 65536, 300000}) {
    std::string body(bytes, '\0');
    for (std::size_t i = 0; i < bytes; ++i) body[i] = static_cast<char>(i * 7);
    c.send(to, text(body));
    const auto got = c.take().content;
    CHECK(got.body == body);
    CHECK(got.bulk.empty());
  }
}

TEST_CASE("rabbitmq: a stream is settled when it is sent, and comes as fast as credit is given") {
  const own_queue queue;
  client c(rabbitmq());
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
  const auto take = [&](char each) {
    const auto got = c.take().content;
    CHECK(got.body.empty());
    CHECK(std::string_view(got.bulk) == std::string(bytes, each));
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
}

TEST_CASE("rabbitmq: what it cannot do is refused instead of done otherwise") {
  const own_queue queue;
  client c(rabbitmq());
  amqp::receiver_options browse, dynamic;
  browse.address = queue.name;
  browse.browse = true;
  dynamic.dynamic = true;
  const auto a = c.link.open_receiver(browse), b = c.link.open_receiver(dynamic);
  c.until("both are refused", [&] { return c.lost.count(a) > 0 && c.lost.count(b) > 0; });
  CHECK(c.lost.at(a).code == errc::not_permitted);
  CHECK(c.lost.at(b).code == errc::not_permitted);
}

TEST_CASE("rabbitmq: a closed link gives back what it held") {
  const own_queue queue;
  client c(rabbitmq());
  c.send(c.sender(queue.name), text("x"));
  const auto first = c.receiver(queue.name);
  CHECK(c.take().content.body == "x");
  c.link.close_link(first);
  const auto second = c.receiver(queue.name);
  CHECK(c.take().link == second);
  CHECK(c.lost.empty());
}

TEST_CASE("rabbitmq: released and modified messages come again on the same link") {
  const own_queue queue;
  client c(rabbitmq());
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
TEST_CASE("rabbitmq: what is accepted just before the connection closes does not come again") {
  constexpr std::size_t count = 4000, taken = 2000;
  for (int round = 0; round < 4; ++round) {
    const own_queue queue;
    {
      client c(rabbitmq());
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
    client c(rabbitmq());
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
TEST_CASE("rabbitmq: connections that end in every way leave nothing behind that fires later") {
  const own_queue queue;
  for (int i = 0; i < 5; ++i) {
    client c(rabbitmq());
    c.receiver(queue.name);
    c.link.close();
  }
  client c(rabbitmq());
  const auto to = c.sender(queue.name);
  c.loop.run_until([] { return false; }, 1500);
  c.send(to, text("alive"));
}

TEST_CASE("rabbitmq: all ten priorities overtake each other, and arrive as they were sent") {
  const own_queue queue(queue_kind::exclusive, true);
  client c(rabbitmq());
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

TEST_CASE("rabbitmq: a message arrives as it was sent") {
  const own_queue queue;
  client c(rabbitmq());
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

TEST_CASE("rabbitmq: its heartbeat is known") {
  client c(rabbitmq());
  CHECK(c.link.peer_idle_timeout_ms() == 0);
  c.until("connected", [&] { return c.connected; });
  CHECK(c.link.peer_idle_timeout_ms() == 1000);  // heartbeat=1 in scripts/broker
}

// Not a test: the other process of the next one. It holds the first message of a queue until it is killed.
TEST_CASE("holder", "[.]") {
  client c(rabbitmq());
  c.receiver(std::getenv("BATON_TEST_QUEUE"));
  (void)c.take();
  CHECK(write(STDOUT_FILENO, "held", 4) == 4);
  c.loop.run();
}

TEST_CASE("rabbitmq: of two consumers the first is active, and the second as soon as the first is killed") {
  const own_queue queue(queue_kind::single_active);
  client c(rabbitmq());
  c.send(c.sender(queue.name), text("token"));
  int pipe_ends[2];
  REQUIRE(pipe(pipe_ends) == 0);
  setenv("BATON_TEST_QUEUE", queue.name.c_str(), 1);
  const pid_t holder = fork();
  if (holder == 0) {
    dup2(pipe_ends[1], STDOUT_FILENO);
    execl("/proc/self/exe", "brokers_test", "holder", nullptr);
    _exit(127);
  }
  close(pipe_ends[1]);
  char held[4];
  REQUIRE(read(pipe_ends[0], held, sizeof held) == 4);
  c.receiver(queue.name);  // it is parked, and nobody says so
  CHECK_FALSE(amqp::rabbitmq_dialect().refuses_second_consumer(queue_kind::single_active));
  c.loop.run_until([&] { return !c.messages.empty(); }, 300);
  CHECK(c.messages.empty());
  const auto killed = boot_time_ms();
  kill(holder, SIGKILL);
  CHECK(c.take().content.body == "token");
  const auto took = boot_time_ms() - killed;
  INFO("handover took " << took << " ms");
  CHECK(took < 2000);
  waitpid(holder, nullptr, 0);
  close(pipe_ends[0]);
}

TEST_CASE("rabbitmq: requests are answered, and unknown queues are said to be unknown") {
  const own_queue queue;
  std::thread echo([&] {
    client c(rabbitmq());
    c.receiver(queue.name);
    const auto question = c.take().content;
    auto answer = text("to " + question.body);
    answer.correlation_id = question.correlation_id;
    c.send(c.sender(question.reply_to), answer);
  });
  auto conversation = amqp::requester::connect(rabbitmq(), deadline_ms);
  const auto answer = conversation ? (*conversation)->request(queue.name, text("question"), deadline_ms)
                                   : result<amqp::message>(conversation.error());
  echo.join();
  REQUIRE(answer.ok());
  CHECK(answer->body == "to question");
  const std::string replies = (*conversation)->reply_address();
  CHECK(replies.find("SYSTEM.FTE.REPLY.COMMAND.") == 0);
  const auto started = boot_time_ms();
  CHECK((*conversation)->send("TEST.NO.SUCH.QUEUE", text("x"), deadline_ms).error().code == errc::not_found);
  CHECK(boot_time_ms() - started < 5000);
  *conversation = nullptr;
  client waiting(rabbitmq());
  for (;;) {
    const auto there = amqp::rabbitmq_dialect().exists(rabbitmq(), replies, deadline_ms);
    REQUIRE(there.ok());
    if (!*there) break;
    REQUIRE(boot_time_ms() - started < deadline_ms);
    waiting.loop.run_until([] { return false; }, 20);
  }
}
