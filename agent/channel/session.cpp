#include "agent/channel/session.hpp"

#include <chrono>
#include <utility>

namespace baton::channel {
namespace {

constexpr std::chrono::seconds greeting_patience{5};
// Above any window that an agent asks for, so that the other side of a slow disk is never taken for a dead one.
constexpr int handed_over_max = 2048;

}  // namespace

session::session(asio::io_context& io, std::unique_ptr<stream> bytes, std::string peer)
    : bytes_(std::move(bytes)), clock_(std::make_unique<asio::steady_timer>(io)), peer_(std::move(peer)) {}

void session::connect(const tcp::endpoint& to, const std::string& secret, greeted then) {
  greeted_ = std::move(then);
  start_clock();
  bytes_->socket().async_connect(to, when_ok([this, secret] {
                                   notice_silence(bytes_->socket());
                                   bytes_->handshake(when_ok([this, secret] {
                                     queue({hello(secret), {}});
                                     expect(buffer_.data(), welcome_bytes, [this] {
                                       const auto welcomed = read_welcome({buffer_.data(), welcome_bytes});
                                       if (!welcomed) return close(welcomed.error().text);
                                       end_greeting(std::string());
                                     });
                                   }));
                                 }));
}

void session::be_greeted(greeted then) {
  greeted_ = std::move(then);
  start_clock();
  notice_silence(bytes_->socket());
  bytes_->handshake(when_ok([this] {
    expect(buffer_.data(), hello_bytes, [this] {
      auto secret = read_hello({buffer_.data(), hello_bytes});
      if (!secret) return close(secret.error().text);
      end_greeting(std::move(secret));
    });
  }));
}

void session::end_greeting(result<std::string> how) {
  clock_->cancel();
  if (auto then = std::exchange(greeted_, nullptr)) then(std::move(how));
}

void session::welcome_peer() {
  queue({welcome(), {}});
}

void session::begin(handlers to) {
  if (closed_) return to.closed("it broke");
  to_ = std::move(to);
  read_next();
}

void session::read_next() {
  if (reading_ || closed_ || handed_over_ >= handed_over_max) return;
  reading_ = true;
  expect(buffer_.data(), head_bytes, [this] { got_head(); });
}

void session::got_head() {
  const auto head = read_head({buffer_.data(), head_bytes});
  if (!head) return close(head.error().text);
  body_.resize(head->length);
  expect(body_.data(), body_.size(), [this, what = head->what] { got_body(what); });
}

void session::got_body(kind what) {
  reading_ = false;
  ++handed_over_;
  to_.received(what, std::exchange(body_, {}));
  read_next();
}

void session::consumed(int count) {
  handed_over_ -= count;
  if (to_.received) read_next();
}

void session::send(kind what, held_bytes body) {
  const message_head head{static_cast<std::uint32_t>(body.size()), what};
  queue({to_bytes(head), std::move(body)});
}

void session::queue(outgoing message) {
  if (closed_) return;
  outgoing_.push_back(std::move(message));
  if (outgoing_.size() == 1) write_next();
}

void session::write_next() {
  const auto& first = outgoing_.front();
  bytes_->write({asio::buffer(first.head), asio::buffer(first.body.data(), first.body.size())}, when_ok([this] {
                  outgoing_.pop_front();
                  if (!outgoing_.empty()) write_next();
                }));
}

void session::close(const std::string& why) {
  if (std::exchange(closed_, true)) return;
  boost::system::error_code ignored;
  bytes_->socket().close(ignored);
  clock_->cancel();
  const auto to = std::exchange(to_, {});
  if (auto then = std::exchange(greeted_, nullptr)) then(error{errc::unreachable, why});
  if (to.closed && !why.empty()) to.closed(why);
}

void session::release() {
  bytes_.reset();
  clock_.reset();
}

void session::start_clock() {
  clock_->expires_after(greeting_patience);
  clock_->async_wait([self = shared_from_this()](const auto& cancelled) {
    if (!cancelled) self->close("it said nothing for 5 seconds");
  });
}

void session::expect(char* to, std::size_t bytes, std::function<void()> then) {
  bytes_->read(asio::buffer(to, bytes), when_ok(std::move(then)));
}

// The session lives as long as something is under way.
stream::done session::when_ok(std::function<void()> then) {
  return [self = shared_from_this(), then = std::move(then)](const boost::system::error_code& failure) {
    if (self->closed_) return;
    if (failure) return self->close(failure.message());
    then();
  };
}

}  // namespace baton::channel
