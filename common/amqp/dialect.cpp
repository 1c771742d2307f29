#include "common/amqp/dialect.hpp"

#include <fmt/format.h>

namespace baton::amqp {
namespace {

// Ports of the management without and with TLS, as each broker comes.
struct http_ports {
  int plain, tls;
};

http_ports management_ports(broker_kind kind) {
  switch (kind) {
    case broker_kind::embedded:
      break;
    case broker_kind::rabbitmq:
      return {15672, 15671};
    case broker_kind::artemis:
      return {8161, 8161};
    case broker_kind::qpid:
      return {8080, 8443};
  }
  return {0, 0};
}

}  // namespace

const dialect& dialect_of(broker_kind kind) {
  switch (kind) {
    case broker_kind::embedded:
      break;
    case broker_kind::rabbitmq:
      return rabbitmq_dialect();
    case broker_kind::artemis:
      return artemis_dialect();
    case broker_kind::qpid:
      return qpid_dialect();
  }
  return embedded_dialect();
}

std::optional<broker_kind> broker_kind_of(std::string_view word) {
  if (word == "embedded") return broker_kind::embedded;
  if (word == "rabbitmq") return broker_kind::rabbitmq;
  if (word == "artemis") return broker_kind::artemis;
  if (word == "qpid") return broker_kind::qpid;
  return std::nullopt;
}

std::string default_management_url(const endpoint& peer) {
  const http_ports ports = management_ports(peer.kind);
  if (ports.plain == 0) return {};
  const bool bare_v6 = peer.host.find(':') != std::string::npos && peer.host.front() != '[';
  const std::string host = bare_v6 ? "[" + peer.host + "]" : peer.host;
  return peer.tls.trust.empty() ? fmt::format("http://{}:{}", host, ports.plain)
                                : fmt::format("https://{}:{}", host, ports.tls);
}

}  // namespace baton::amqp
