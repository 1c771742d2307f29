#include "properties/connection.hpp"

#include <fmt/format.h>

#include <charconv>

#include "common/amqp/dialect.hpp"
#include "common/text.hpp"
#include "properties/atomic_file.hpp"
#include "properties/credentials.hpp"
#include "properties/pid_file.hpp"
#include "properties/qmgr_urls.hpp"

namespace baton {
namespace {

struct names {
  std::string qmgr, host, port, urls, credentials_file, ssl, type, management_url;
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

result<std::vector<qmgr_url>> addresses_of(const property_set& properties, const names& n) {
  const std::string& list = properties.text(n.urls);
  if (list.empty()) {
    return std::vector{qmgr_url{properties.text(n.host), static_cast<std::uint16_t>(properties.integer(n.port)),
                                !properties.text(n.ssl + "TrustStore").empty()}};
  }
  for (const std::string& other : {n.host, n.port}) {
    if (!properties.is_set(other)) continue;
    return error{errc::bad_property, fmt::format("{}: {} and {} are both set: put all queue managers into {}, and "
                                                 "remove {}",
                                                 properties.origin(), n.urls, other, n.urls, other)};
  }
  auto all = parse_qmgr_urls(list);
  if (!all) return error{errc::bad_property, fmt::format("{}: {}: {}", properties.origin(), n.urls, all.error().text)};
  return all;
}

// One for each address, in the same order; where none is set, what is usual for the kind.
status add_management(const property_set& properties, const names& n, std::vector<amqp::endpoint>& peers) {
  const auto urls = split(properties.text(n.management_url), ',');
  if (!urls.empty() && urls.size() != peers.size()) {
    return error{errc::bad_property, fmt::format("{}: {} has {} URLs and there are {} queue managers: one for each, in "
                                                 "the same order",
                                                 properties.origin(), n.management_url, urls.size(), peers.size())};
  }
  for (std::size_t i = 0; i < peers.size(); ++i) {
    peers[i].management_url = urls.empty() ? amqp::default_management_url(peers[i]) : trim(urls[i]);
  }
  return done();
}

result<qmgr_connection> client_connection(const property_set& properties, const names& n) {
  const auto addresses = addresses_of(properties, n);
  if (!addresses) return addresses.error();
  amqp::endpoint common;
  if (auto added = add_tls(properties, n.ssl, common.tls); !added) return added.error();
  if (const auto kind = amqp::broker_kind_of(properties.text(n.type))) common.kind = *kind;
  std::vector<amqp::endpoint> peers;
  for (const qmgr_url& address : *addresses) {
    if (address.tls && common.tls.trust.empty()) {
      return error{errc::bad_property, fmt::format("{}: amqps://{}:{} needs {}TrustStore", properties.origin(),
                                                   address.host, address.port, n.ssl)};
    }
    peers.push_back(common);
    peers.back().host = address.host;
    peers.back().port = address.port;
    if (!address.tls) peers.back().tls = {};
  }
  if (auto added = add_management(properties, n, peers); !added) return added.error();
  qmgr_connection out;
  out.qmgr = properties.text(n.qmgr);
  out.peer = peers.front();
  out.more.assign(peers.begin() + 1, peers.end());
  out.randomize = properties.boolean(n.qmgr + "Randomize");
  out.connect_timeout_ms = properties.milliseconds(n.qmgr + "ConnectTimeout");
  return out;
}

// Without a host it is the queue manager of this host, which is always an embedded one.
result<qmgr_connection> bindings_connection(const property_set& properties, const names& n, const layout& where) {
  const std::string& kind = properties.text(n.type);
  if (amqp::broker_kind_of(kind) != amqp::broker_kind::embedded) {
    return error{errc::bad_property, fmt::format("{}: {}={} needs {} or {}: say where it listens", properties.origin(),
                                                 n.type, kind, n.host, n.urls)};
  }
  return local_qmgr_connection(properties.text(n.qmgr), where);
}

result<qmgr_connection> connection_from(const property_set& properties, const std::string& qmgr, const std::string& ssl,
                                        const layout& where) {
  const names n{qmgr, qmgr + "Host", qmgr + "Port",         qmgr + "Urls", qmgr + "AuthenticationCredentialsFile",
                ssl,  qmgr + "Type", qmgr + "ManagementUrl"};
  const bool client = !properties.text(n.host).empty() || !properties.text(n.urls).empty();
  auto out = client ? client_connection(properties, n) : bindings_connection(properties, n, where);
  const std::filesystem::path file = properties.path(n.credentials_file);
  if (!out || file.empty()) return out;
  const auto read = read_credentials(file, properties.text(n.qmgr));
  if (!read) return read.error();
  out->peer.user = read->user;
  out->peer.password = read->password;
  for (auto& one : out->more) {
    one.user = read->user;
    one.password = read->password;
  }
  return out;
}

// Of those that make queues which outlive them: the table of commands does not have it.
result<qmgr_connection> with_queue_type(const property_set& properties, const std::string& qmgr,
                                        result<qmgr_connection> found) {
  if (!found || properties.text(qmgr + "QueueType") != "quorum") return found;
  if (found->peer.kind != amqp::broker_kind::rabbitmq) {
    return error{errc::bad_property, fmt::format("{}: {}QueueType=quorum needs {}Type=rabbitmq: no other kind has such "
                                                 "queues",
                                                 properties.origin(), qmgr, qmgr)};
  }
  found->peer.quorum_queues = true;
  for (auto& one : found->more) one.quorum_queues = true;
  return found;
}

}  // namespace

std::vector<amqp::endpoint> qmgr_connection::all() const {
  std::vector<amqp::endpoint> out{peer};
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

result<qmgr_connection> agent_qmgr_connection(const property_set& agent, const layout& where) {
  return with_queue_type(agent, "agentQMgr", connection_from(agent, "agentQMgr", "agentSsl", where));
}
result<qmgr_connection> coordination_qmgr_connection(const property_set& coordination, const layout& where) {
  return with_queue_type(coordination, "coordinationQMgr",
                         connection_from(coordination, "coordinationQMgr", "coordinationSsl", where));
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
  qmgr_connection out;
  out.qmgr = std::string(qmgr);
  out.bindings = true;
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
