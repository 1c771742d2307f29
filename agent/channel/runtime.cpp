#include "agent/channel/runtime.hpp"

#include <utility>

namespace baton::channel {
namespace {

// Both sides have to show a certificate of the authorities; who connects looks at the name in it too.
asio::ssl::context make_context(const amqp::tls_files& tls, bool server) {
  asio::ssl::context made(server ? asio::ssl::context::tls_server : asio::ssl::context::tls_client);
  made.set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
  made.load_verify_file(tls.trust);
  made.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
  made.use_certificate_chain_file(tls.certificate);
  made.use_private_key_file(tls.key, asio::ssl::context::pem);
  return made;
}

}  // namespace

result<std::shared_ptr<runtime>> runtime::make(const amqp::tls_files& tls) {
  std::shared_ptr<runtime> made(new runtime);
  try {
    if (!tls.certificate.empty()) {
      made->client_.emplace(make_context(tls, false));
      made->server_.emplace(make_context(tls, true));
    }
  } catch (const boost::system::system_error& e) {
    return error{errc::bad_property, e.what()};
  }
  made->thread_ = std::thread([io = &made->io_] { io->run(); });
  return made;
}

std::shared_ptr<session> runtime::add(std::unique_ptr<stream> bytes, std::string peer) {
  std::erase_if(sessions_, [](const auto& one) { return one.expired(); });
  auto made = std::make_shared<session>(io_, std::move(bytes), std::move(peer));
  sessions_.insert(made);
  return made;
}

runtime::~runtime() {
  if (!thread_.joinable()) return;
  io_.stop();
  thread_.join();
  for (const auto& one : sessions_) {
    if (const auto still = one.lock()) still->release();
  }
}

}  // namespace baton::channel
