#include "properties/connection.hpp"

#include <fmt/format.h>

#include <charconv>

#include "common/amqp/dialect.hpp"
#include "common/text.hpp"
#include "properties/atomic_file.hpp"
#include "properties/credentials.hpp"
#include "properties/pid_file.hpp"

namespace baton {
namespace {

struct names {
  std::string qmgr, host, port, credentials_file, ssl, type, management_url;
};

status add_tls(const property_set& properties, const std::string& prefix, amqp::tls_files& tls) {
  tls.trust = properties.text(prefix + "TrustStore");
  tls.certificate = properties.text(prefix + "Certificate");
  tls.key = properties.text(prefix + "Key");
  if (tls.certificate.empty() != tls.key.empty()) {
    return error{errc::bad_property, fmt::format("{}: {}Certificate and {}Key belong together: set both or none",
                                                 properties.origin(), prefix, prefix)};
  }
  if (tls.trust.empty() && !tls.certificate.empty()) {
    return error{errc::bad_property,
                 fmt::format("{}: {}Certificate needs {}TrustStore", properties.origin(), prefix, prefix)};
  }
  return done();
}

result<qmgr_connection> client_connection(const property_set& properties, const names& n) {
  qmgr_connection out;
  out.qmgr = properties.text(n.qmgr);
  out.peer.host = properties.text(n.host);
  out.peer.port = static_cast<std::uint16_t>(properties.integer(n.port));
  if (auto added = add_tls(properties, n.ssl, out.peer.tls); !added) return added.error();
  if (const auto kind = amqp::broker_kind_of(properties.text(n.type))) out.peer.kind = *kind;
  out.peer.management_url = properties.text(n.management_url);
  if (out.peer.management_url.empty()) out.peer.management_url = amqp::default_management_url(out.peer);
  return out;
}

// Without a host it is the queue manager of this host, which is always an embedded one.
result<qmgr_connection> bindings_connection(const property_set& properties, const names& n, const layout& where) {
  const std::string& kind = properties.text(n.type);
  if (amqp::broker_kind_of(kind) != amqp::broker_kind::embedded) {
    return error{errc::bad_property,
                 fmt::format("{}: {}={} needs {}: say where it listens", properties.origin(), n.type, kind, n.host)};
  }
  return local_qmgr_connection(properties.text(n.qmgr), where);
}

result<qmgr_connection> connection_from(const property_set& properties, const std::string& qmgr, const std::string& ssl,
                                        const layout& where) {
  const names n{qmgr, qmgr + "Host", qmgr + "Port",         qmgr + "AuthenticationCredentialsFile",
                ssl,  qmgr + "Type", qmgr + "ManagementUrl"};
  auto out =
      properties.text(n.host).empty() ? bindings_connection(properties, n, where) : client_connection(properties, n);
  const std::filesystem::path file = properties.path(n.credentials_file);
  if (!out || file.empty()) return out;
  const auto read = read_credentials(file, properties.text(n.qmgr));
  if (!read) return read.error();
  out->peer.user = read->user;
  out->peer.password = read->password;
  return out;
}

}  // namespace

result<qmgr_connection> agent_qmgr_connection(const property_set& agent, const layout& where) {
  return connection_from(agent, "agentQMgr", "agentSsl", where);
}
result<qmgr_connection> coordination_qmgr_connection(const property_set& coordination, const layout& where) {
  return connection_from(coordination, "coordinationQMgr", "coordinationSsl", where);
}
result<qmgr_connection> command_qmgr_connection(const property_set& command, const layout& where) {
  return connection_from(command, "connectionQMgr", "connectionSsl", where);
}

result<qmgr_connection> local_qmgr_connection(std::string_view qmgr, const layout& where) {
  const auto content = read_small_file(where.qmgr_address(qmgr));
  // One that was killed leaves both files behind, but nobody holds its pid file any more.
  const bool killed = std::filesystem::exists(where.qmgr_pid(qmgr)) && !pid_file_holder(where.qmgr_pid(qmgr));
  if (!content || killed) {
    return error{errc::unreachable, fmt::format("the queue manager {} is not running on this host (see {}): "
                                                "start it with fteStartQMgr {}",
                                                qmgr, where.qmgr_address(qmgr).native(), qmgr)};
  }
  const auto words = split(trim(*content), ' ');
  qmgr_connection out{std::string(qmgr), true, {}};
  unsigned port = 0;
  const bool read = words.size() == 2 &&
                    std::from_chars(words[1].data(), words[1].data() + words[1].size(), port).ec == std::errc{} &&
                    port > 0 && port < 65536;
  if (!read) {
    return error{errc::unreachable,
                 fmt::format("{}: expected \"host port\": stop the queue manager {} and start it again",
                             where.qmgr_address(qmgr).native(), qmgr)};
  }
  out.peer.host = words[0];
  out.peer.port = static_cast<std::uint16_t>(port);
  return out;
}

}  // namespace baton
