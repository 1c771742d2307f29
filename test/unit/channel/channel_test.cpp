// Both ends of direct channels in one process, over real sockets.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <deque>

#include "agent/channel/connect.hpp"
#include "agent/channel/listener.hpp"
#include "agent/channel/runtime.hpp"
#include "common/log.hpp"
#include "common/random.hpp"
#include "test/properties/temporary.hpp"

using namespace baton;
using namespace baton::channel;

namespace {

struct end {
  std::unique_ptr<direct_channel> channel;
  std::deque<std::string> received;
  std::string closed;

  void take(std::unique_ptr<direct_channel> made) {
    channel = std::move(made);
    channel->begin({[this](kind, const held_bytes& body) { received.emplace_back(body); },
                    [this](const std::string& why) { closed = why; }});
  }
};

class both_ends {
 public:
  explicit both_ends(const amqp::tls_files& tls = {}) : secured_(!tls.trust.empty()) {
    (void)open_log({});
    auto made = runtime::make(tls);
    REQUIRE(made.ok());
    thread_ = std::move(*made);
    auto opened = listener::open(loop_, thread_, "127.0.0.1", 0);
    REQUIRE(opened.ok());
    door = std::move(*opened);
    port_ = door->port();
  }

  std::string expect() {
    return door->expect([this](std::unique_ptr<direct_channel> made) { destination.take(std::move(made)); });
  }
  // Empty, or why not.
  std::string connect(const std::string& secret, const std::string& name = "localhost") {
    std::optional<std::string> answer;
    channel::connect(loop_, thread_, {"127.0.0.1", port_, secret, secured_ ? name : ""},
                     [&](result<std::unique_ptr<direct_channel>> made) {
                       answer = made ? "" : made.error().text;
                       if (made) source.take(std::move(*made));
                     });
    REQUIRE(wait([&] { return answer.has_value(); }));
    return *answer;
  }
  // What is listening is gone when this returns.
  void close_door() {
    door.reset();
    bool gone = false;
    thread_->post([&] { loop_.post([&] { gone = true; }); });
    REQUIRE(wait([&] { return gone; }));
  }
  event_loop& loop() { return loop_; }
  std::shared_ptr<event_loop> kept_loop() { return kept_; }
  std::shared_ptr<runtime>& thread() { return thread_; }
  bool wait(const std::function<bool()>& done) { return loop_.run_until(done, 20000); }

 private:
  std::shared_ptr<event_loop> kept_ = std::make_shared<event_loop>();
  event_loop& loop_ = *kept_;
  std::shared_ptr<runtime> thread_;  // ends after all that uses it
  const bool secured_;
  std::uint16_t port_ = 0;

 public:
  std::unique_ptr<listener> door;
  end source, destination;
};

void move_messages(both_ends& ends) {
  std::string text(200000, 'x');
  for (int i = 0; i < 100; ++i) {
    text[0] = static_cast<char>(i);
    ends.source.channel->send(kind::frame, byte_buffer(text));
    ends.destination.channel->send(kind::ack, byte_buffer(std::to_string(i)));
  }
  REQUIRE(ends.wait([&] { return ends.destination.received.size() == 100 && ends.source.received.size() == 100; }));
  for (int i = 0; i < 100; ++i) {
    CHECK(ends.source.received[static_cast<std::size_t>(i)] == std::to_string(i));
    CHECK(ends.destination.received[static_cast<std::size_t>(i)].front() == static_cast<char>(i));
    CHECK(ends.destination.received[static_cast<std::size_t>(i)].size() == text.size());
  }
}

// An authority and a certificate of it for localhost.
amqp::tls_files certificates(const std::filesystem::path& in) {
  const std::string at = in.string() + "/";
  const std::string make =
      "cd " + at +
      " && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out "
      "ca.pem && openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout own.key -out own.csr "
      "&& echo subjectAltName=DNS:localhost > ext && openssl x509 -req -days 2 -in own.csr -CA ca.pem "
      "-CAkey ca.key -CAcreateserial -extfile ext -out own.pem";
  REQUIRE(std::system(("( " + make + " ) > " + at + "log 2>&1").c_str()) == 0);  // NOLINT: a test's own words
  return {at + "own.pem", at + "own.key", at + "ca.pem"};
}

}  // namespace

TEST_CASE("channel: messages go both ways, in order") {
  both_ends ends;
  REQUIRE(ends.connect(ends.expect()).empty());
  move_messages(ends);
}

TEST_CASE("channel: a secret counts once, and not after it is withdrawn") {
  both_ends ends;
  const std::string used = ends.expect(), withdrawn = ends.expect();
  ends.door->forget(withdrawn);
  REQUIRE(ends.connect(used).empty());
  for (const std::string& secret : {used, withdrawn, random_hex(secret_bytes)})
    CHECK_FALSE(ends.connect(secret).empty());
  move_messages(ends);  // the one that is there is not disturbed
}

TEST_CASE("channel: the end of one side is told to the other") {
  both_ends ends;
  REQUIRE(ends.connect(ends.expect()).empty());
  REQUIRE(ends.wait([&] { return ends.destination.channel != nullptr; }));
  ends.source.channel.reset();
  REQUIRE(ends.wait([&] { return !ends.destination.closed.empty(); }));
  CHECK(ends.source.closed.empty());
}

TEST_CASE("channel: one that outlives all else ends the thread") {
  std::shared_ptr<event_loop> loop;  // outlives all threads, as that of a process does
  std::unique_ptr<direct_channel> last;
  {
    both_ends ends;
    loop = ends.kept_loop();
    REQUIRE(ends.connect(ends.expect()).empty());
    last = std::move(ends.source.channel);
  }
  last->send(kind::frame, byte_buffer("nobody hears it"));
}

TEST_CASE("channel: what is no message ends it") {
  both_ends ends;
  REQUIRE(ends.connect(ends.expect()).empty());
  ends.source.channel->send(static_cast<kind>(7), byte_buffer("body"));
  REQUIRE(ends.wait([&] { return !ends.destination.closed.empty(); }));
  CHECK_THAT(ends.destination.closed, Catch::Contains("kind 7"));
  CHECK(ends.destination.received.empty());
}

TEST_CASE("channel: a port that another has, or nobody, is an error and no wait") {
  both_ends ends;
  const auto taken = listener::open(ends.loop(), ends.thread(), "127.0.0.1", ends.door->port());
  REQUIRE_FALSE(taken.ok());
  CHECK(taken.error().code == errc::in_use);
  const std::string secret = ends.expect();
  ends.close_door();
  CHECK_THAT(ends.connect(secret), Catch::Contains("refused"));
}

TEST_CASE("channel: with TLS the certificate has to say the name, and both sides need one") {
  test::temporary_directory where;
  const auto files = certificates(where.path());
  both_ends ends(files);
  CHECK_THAT(ends.connect(ends.expect(), "elsewhere"), Catch::Contains("certificate verify failed"));
  REQUIRE(ends.connect(ends.expect()).empty());
  move_messages(ends);
}

TEST_CASE("channel: certificates that cannot be used are told") {
  const auto made = runtime::make({"/nowhere/own.pem", "/nowhere/own.key", "/nowhere/ca.pem"});
  REQUIRE_FALSE(made.ok());
  CHECK(made.error().code == errc::bad_property);
}
