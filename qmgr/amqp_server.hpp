// The listener and the AMQP thread: one Proton proactor, run by one thread, which owns every AMQP object.
#pragma once

#include <proton/listener.h>
#include <proton/proactor.h>
#include <proton/ssl.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/result.hpp"
#include "qmgr/amqp_connection.hpp"

namespace baton::qmgr {

struct server_options {
  std::string container_id;
  std::string bind_address = "127.0.0.1";
  std::uint16_t port = 5672;  // 0: any free one
  std::uint32_t idle_timeout_ms = 4500;
  std::uint64_t message_bytes_max = 16u << 20;
  std::uint32_t connections_max = 5000;
  std::string tls_certificate, tls_key, tls_trust;  // PEM files; empty: no TLS
};

class amqp_server {
 public:
  // `submit` is called on the AMQP thread with everything that one batch of Proton's events had to tell.
  amqp_server(server_options options, std::function<void(std::vector<event>&&)> submit);
  ~amqp_server();  // ends at once

  // Listens and starts the AMQP thread; the port that it got. Loop thread.
  result<std::uint16_t> start();
  // Hands each connection its actions. Loop thread.
  void leave(action_lists actions);
  // No new connections from now on. Loop thread.
  void stop_listening();
  std::size_t connection_count() const { return connection_count_; }

 private:
  struct domain_free {
    void operator()(pn_ssl_domain_t* domain) const { pn_ssl_domain_free(domain); }
  };
  status set_up_tls();
  void run();
  bool handle(pn_event_t* happened);  // false: the end
  void on_listener(pn_event_t* happened);
  void accept();
  void look_at_opening();
  void on_connection(pn_connection_t* connection, pn_event_t* happened);
  void listening(std::uint16_t port, const std::string& failure);

  server_options options_;
  std::function<void(std::vector<event>&&)> submit_;
  amqp_connection::settings settings_;
  std::unique_ptr<pn_ssl_domain_t, domain_free> tls_;
  pn_proactor_t* proactor_;
  pn_listener_t* listener_ = nullptr;
  std::thread thread_;
  std::atomic<bool> ending_ = false;
  std::atomic<std::size_t> connection_count_ = 0;

  // AMQP thread only:
  connection_id last_connection_ = 0;
  link_id last_link_ = 0;
  std::vector<event> events_;
  std::map<connection_id, std::unique_ptr<amqp_connection>> connections_;
  std::deque<std::pair<connection_id, std::int64_t>> opening_;  // and until when (boot_time_ms); the oldest first

  std::mutex mutex_;  // guards the rest
  std::map<connection_id, std::shared_ptr<mailbox>> mailboxes_;
  bool listener_open_ = false;
  std::function<void(std::uint16_t, const std::string&)> on_listening_;
};

}  // namespace baton::qmgr
