#include "common/amqp/dialect_over_amqp.hpp"

namespace baton::amqp {

status dialect_over_amqp::declare(const connection_options& where,
                                  const std::vector<formats::queue_declaration>& queues,
                                  std::int64_t timeout_ms) const {
  if (queues.empty()) return done();
  auto peer = requester::connect(where, timeout_ms);
  if (!peer) return peer.error();
  if (const auto prepared = prepare(**peer, queues.front().name, timeout_ms); !prepared) return prepared;
  for (const auto& queue : queues) {
    if (const auto made = make(**peer, queue, timeout_ms); !made) return made;
  }
  return done();
}

status dialect_over_amqp::remove(const connection_options& where, const std::vector<std::string>& queues,
                                 std::int64_t timeout_ms) const {
  auto peer = requester::connect(where, timeout_ms);
  if (!peer) return peer.error();
  for (const auto& queue : queues) {
    const auto gone = unmake(**peer, queue, timeout_ms);
    if (!gone && gone.error().code != errc::not_found) return gone;
  }
  return done();
}

status dialect_over_amqp::purge(const connection_options& where, const std::string& queue,
                                std::int64_t timeout_ms) const {
  auto peer = requester::connect(where, timeout_ms);
  return peer ? empty(**peer, queue, timeout_ms) : status(peer.error());
}

result<bool> dialect_over_amqp::exists(const connection_options& where, const std::string& queue,
                                       std::int64_t timeout_ms) const {
  auto peer = requester::connect(where, timeout_ms);
  if (!peer) return peer.error();
  const auto found = find(**peer, queue, timeout_ms);
  if (!found && found.error().code != errc::not_found) return found.error();
  return found.ok();
}

result<std::string> dialect_over_amqp::make_reply_queue(const connection_options&, std::int64_t) const {
  return error{errc::internal, "this queue manager has dynamic queues"};
}

status dialect_over_amqp::prepare(requester&, const std::string&, std::int64_t) const {
  return done();
}

std::string property_of(const message& answer, const std::string& name) {
  const auto found = answer.properties.find(name);
  return found == answer.properties.end() ? std::string() : found->second;
}

}  // namespace baton::amqp
