#include "common/amqp/refusals.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "common/amqp/dialect.hpp"

namespace baton::amqp {
namespace {

std::string advice(const error& why, refused what, const endpoint& peer) {
  const std::string user = peer.user.empty() ? "who gives no name" : fmt::format("'{}'", peer.user);
  if (why.code == errc::not_permitted && what == refused::queue) {
    return fmt::format("the user {} needs the right to send to and to consume from the queues SYSTEM.FTE.#", user);
  }
  if (why.code == errc::not_permitted && peer.user.empty())
    return "the queue manager wants a user and a password: name a credentials file";
  if (why.code == errc::not_permitted)
    return fmt::format(
        "the queue manager does not let the user {} in: see the user, the password and what the user may "
        "do there",
        user);
  if (why.text.find("no protocol header found") != std::string::npos)
    return "what listens there does not speak AMQP 1.0, or not with TLS, or TLS only: see host, port and trust store";
  if (why.code == errc::timed_out && what == refused::connection)
    return "it accepts connections and says nothing: see whether the queue manager hangs, and whether the port is its "
           "AMQP port";
  return {};
}

struct closing {
  explicit closing(int number) : fd(number) {}
  ~closing() {
    if (fd >= 0) ::close(fd);
  }
  closing(const closing&) = delete;
  closing& operator=(const closing&) = delete;
  const int fd;
};

int connected_socket(const endpoint& peer, std::int64_t timeout_ms) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (::getaddrinfo(peer.host.c_str(), std::to_string(peer.port).c_str(), &hints, &found) != 0) return -1;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  const timeval limit{timeout_ms / 1000, timeout_ms % 1000 * 1000};
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    const int fd = ::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
    if (fd < 0) continue;
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (::connect(fd, at->ai_addr, at->ai_addrlen) == 0) return fd;
    ::close(fd);
  }
  return -1;
}

std::string what_to_do(long fault, const endpoint& peer) {
  switch (fault) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "the certificate of the queue manager has expired: it needs a new one";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "the certificate of the queue manager is not valid yet: see the clocks of both hosts";
    case X509_V_ERR_HOSTNAME_MISMATCH:
      return fmt::format(
          "the certificate of the queue manager is not for the name {}: use the name that it is for, or "
          "give it one for this name",
          peer.host);
    case X509_V_OK:
      return {};
    default:
      return fmt::format("the certificate of the queue manager is not trusted, {}: see the trust store {}",
                         X509_verify_cert_error_string(fault), peer.tls.trust);
  }
}

}  // namespace

error with_advice(error why, refused what, const endpoint& peer) {
  const std::string more = advice(why, what, peer);
  if (!more.empty()) why.text += ": " + more;
  return why;
}

bool is_certificate_refused(std::string_view text) {
  return text.find("certificate verify failed") != std::string_view::npos;
}

std::string certificate_fault(const endpoint& peer, std::int64_t timeout_ms) {
  const closing socket(connected_socket(peer, timeout_ms));
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  if (socket.fd < 0 || !context) return {};
  SSL_CTX_load_verify_locations(context.get(), peer.tls.trust.c_str(), nullptr);
  const std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(context.get()), &SSL_free);
  if (!tls) return {};
  SSL_set_verify(tls.get(), SSL_VERIFY_NONE, nullptr);  // looked at, and nothing is sent to it
  SSL_set1_host(tls.get(), peer.host.c_str());
  SSL_set_tlsext_host_name(tls.get(), peer.host.c_str());
  SSL_set_fd(tls.get(), socket.fd);
  if (SSL_connect(tls.get()) != 1) return {};
  return what_to_do(SSL_get_verify_result(tls.get()), peer);
}

status check_product(std::string_view product, const endpoint& peer) {
  struct known {
    std::string_view part, word;
    broker_kind kind;
  };
  constexpr std::array<known, 3> products{{{"RabbitMQ", "rabbitmq", broker_kind::rabbitmq},
                                           {"artemis", "artemis", broker_kind::artemis},
                                           {"Qpid Broker-J", "qpid", broker_kind::qpid}}};
  for (const known& one : products) {
    if (product.find(one.part) == std::string_view::npos || one.kind == peer.kind) continue;
    return error{errc::bad_property,
                 fmt::format("{}:{}: this queue manager says that it is {}: set the property for its kind "
                             "(agentQMgrType, connectionQMgrType, coordinationQMgrType) to {}",
                             peer.host, peer.port, product, one.word)};
  }
  return done();
}

}  // namespace baton::amqp
