#include "agent/channel/stream.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <limits>
#include <utility>

namespace baton::channel {
namespace {

constexpr int silence_ms = 5000;

// As much as the kernel takes in one call, where Asio's own limit is 64 KiB: each piece wakes the other side.
std::size_t all_at_once(const boost::system::error_code& failure, std::size_t) {
  return failure ? 0 : std::numeric_limits<std::size_t>::max();
}

template <class Socket>
class socket_stream : public stream {
 public:
  template <class... Args>
  explicit socket_stream(Args&&... args) : socket_(std::forward<Args>(args)...) {}

  void handshake(done then) override {
    if constexpr (requires { socket_.next_layer(); })
      socket_.async_handshake(role, std::move(then));
    else
      asio::post(socket_.get_executor(), [then = std::move(then)] { then({}); });
  }
  void read(asio::mutable_buffer all, done then) override {
    asio::async_read(socket_, all, all_at_once,
                     [then = std::move(then)](const auto& failure, std::size_t) { then(failure); });
  }
  void write(const std::array<asio::const_buffer, 2>& all, done then) override {
    asio::async_write(socket_, all, all_at_once,
                      [then = std::move(then)](const auto& failure, std::size_t) { then(failure); });
  }
  tcp::socket& socket() override {
    if constexpr (requires { socket_.next_layer(); })
      return socket_.next_layer();
    else
      return socket_;
  }

  asio::ssl::stream_base::handshake_type role = asio::ssl::stream_base::server;
  Socket& inner() { return socket_; }

 private:
  Socket socket_;
};

}  // namespace

std::unique_ptr<stream> make_plain_stream(tcp::socket socket) {
  return std::make_unique<socket_stream<tcp::socket>>(std::move(socket));
}

std::unique_ptr<stream> make_tls_stream(tcp::socket socket, asio::ssl::context& context, const std::string& host) {
  auto made = std::make_unique<socket_stream<asio::ssl::stream<tcp::socket>>>(std::move(socket), context);
  if (!host.empty()) {
    made->role = asio::ssl::stream_base::client;
    made->inner().set_verify_callback(asio::ssl::host_name_verification(host));
  }
  return made;
}

void notice_silence(tcp::socket& socket) {
  const auto set = [&](int level, int name, int value) {
    ::setsockopt(socket.native_handle(), level, name, &value, sizeof value);
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  // Of bytes that are not acknowledged, and of a connection on which nothing is under way.
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, silence_ms);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 2);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 1);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
}

}  // namespace baton::channel
