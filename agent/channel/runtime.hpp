// The thread that all direct connections of an agent have in common, and what lives on it. Only the files of this
// folder that end in .cpp include it.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "agent/channel/session.hpp"
#include "common/amqp/connection.hpp"

namespace baton::channel {

class runtime {
 public:
  // Both contexts come from the same three files; errc::bad_property when one cannot be used.
  static result<std::shared_ptr<runtime>> make(const amqp::tls_files& tls);
  // Ends all sessions and the thread.
  ~runtime();

  asio::io_context& io() { return io_; }
  void post(std::function<void()> work) { asio::post(io_, std::move(work)); }
  // For who is connected to and for who connects; none without a certificate.
  asio::ssl::context* server() { return server_ ? &*server_ : nullptr; }
  asio::ssl::context* client() { return client_ ? &*client_ : nullptr; }

  // Channel thread: a session that is to end with the thread.
  std::shared_ptr<session> add(std::unique_ptr<stream> bytes, std::string peer);

 private:
  runtime() : stay_(asio::make_work_guard(io_)) {}

  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> stay_;
  std::optional<asio::ssl::context> server_, client_;
  std::set<std::weak_ptr<session>, std::owner_less<>> sessions_;
  std::thread thread_;
};

}  // namespace baton::channel
