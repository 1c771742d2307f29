// Bytes both ways over TCP, in clear text or with TLS. Only the files of this folder that end in .cpp include it:
// nobody else sees the library behind it. The channel thread only.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <functional>
#include <memory>
#include <string>

namespace baton::channel {

namespace asio = boost::asio;
using asio::ip::tcp;

class stream {
 public:
  using done = std::function<void(const boost::system::error_code&)>;
  virtual ~stream() = default;
  virtual void handshake(done then) = 0;  // of TLS; nothing in clear text
  virtual void read(asio::mutable_buffer all, done then) = 0;
  virtual void write(const std::array<asio::const_buffer, 2>& all, done then) = 0;
  virtual tcp::socket& socket() = 0;
};

std::unique_ptr<stream> make_plain_stream(tcp::socket socket);
// `host`: the name that the other side's certificate must have, for who connects; empty: the side that was connected
// to.
std::unique_ptr<stream> make_tls_stream(tcp::socket socket, asio::ssl::context& context, const std::string& host);

// A connection whose other end is gone is noticed after some seconds even when nothing says so.
void notice_silence(tcp::socket& socket);

}  // namespace baton::channel
