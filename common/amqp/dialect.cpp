#include "common/amqp/dialect.hpp"

#include <fmt/format.h>

namespace baton::amqp {

const dialect& dialect_of(broker_kind kind) {
  switch (kind) {
    case broker_kind::embedded:
      return embedded_dialect();
    case broker_kind::rabbitmq:
      break;
  }
  return rabbitmq_dialect();
}

std::optional<broker_kind> broker_kind_of(std::string_view word) {
  if (word == "embedded") return broker_kind::embedded;
  if (word == "rabbitmq") return broker_kind::rabbitmq;
  return std::nullopt;
}

std::string default_management_url(const endpoint& peer) {
  if (peer.kind == broker_kind::embedded) return {};
  const bool bare_v6 = peer.host.find(':') != std::string::npos && peer.host.front() != '[';
  const std::string host = bare_v6 ? "[" + peer.host + "]" : peer.host;
  return peer.tls.trust.empty() ? fmt::format("http://{}:15672", host) : fmt::format("https://{}:15671", host);
}

}  // namespace baton::amqp
