// One connection at the channel's own thread: greeting, then messages both ways. Everything here runs on that thread,
// but the constructor and release(). direct_channel.hpp is what the rest of the agent sees.
#pragma once

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "agent/channel/stream.hpp"
#include "agent/channel/wire.hpp"
#include "common/byte_buffer.hpp"
#include "common/held_bytes.hpp"

namespace baton::channel {

class session : public std::enable_shared_from_this<session> {
 public:
  struct handlers {
    std::function<void(kind what, held_bytes body)> received;
    std::function<void(std::string why)> closed;  // once, last
  };
  // The secret of who connected, or of who was connected to an empty text; or why it came to nothing.
  using greeted = std::function<void(result<std::string>)>;

  session(asio::io_context& io, std::unique_ptr<stream> bytes, std::string peer);

  // Connects, says its secret (raw bytes), and waits to be welcome.
  void connect(const tcp::endpoint& to, const std::string& secret, greeted then);
  // As the side that was connected to.
  void be_greeted(greeted then);
  void welcome_peer();
  // After the greeting: messages are received, as long as not too many of them were not consumed().
  void begin(handlers to);
  void consumed(int count);
  void send(kind what, held_bytes body);
  // The other handlers hear nothing any more; `closed` does, unless `why` is empty.
  void close(const std::string& why);

  // When the channel thread has ended, any thread: lets go of what belonged to it.
  void release();
  const std::string& peer() const { return peer_; }

 private:
  struct outgoing {
    std::string head;
    held_bytes body;
  };
  stream::done when_ok(std::function<void()> then);
  void expect(char* to, std::size_t bytes, std::function<void()> then);
  void start_clock();
  void end_greeting(result<std::string> how);
  void read_next();
  void got_head();
  void got_body(kind what);
  void queue(outgoing message);
  void write_next();

  std::unique_ptr<stream> bytes_;
  std::unique_ptr<asio::steady_timer> clock_;
  const std::string peer_;
  greeted greeted_;
  handlers to_;
  bool closed_ = false, reading_ = false;
  int handed_over_ = 0;  // messages that were not consumed yet
  std::array<char, hello_bytes> buffer_{};
  byte_buffer body_;
  std::deque<outgoing> outgoing_;  // the first one is being written; bounded by the window of who sends
};

}  // namespace baton::channel
