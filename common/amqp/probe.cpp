#include "common/amqp/probe.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace baton::amqp {

probe::probe(event_loop& loop, connection_options where, std::int64_t timeout_ms,
             std::function<void(const status&)> done)
    : loop_(loop), done_(std::move(done)) {
  where.connect_timeout_ms = static_cast<std::uint32_t>(timeout_ms);
  trial_ = std::make_unique<connection>(loop, where, *this);
}

void probe::tell(status how) {
  if (!done_) return;
  // Who hears of it may destroy this object, and the connection is in the middle of a call.
  loop_.post([done = std::exchange(done_, nullptr), how = std::move(how), alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) done(how);
  });
}

status answers(const connection_options& where, std::int64_t timeout_ms) {
  event_loop loop;
  std::optional<status> answered;
  const probe trial(loop, where, timeout_ms, [&](const status& how) { answered = how; });
  if (!loop.run_until([&] { return answered.has_value(); }, timeout_ms)) {
    return error{errc::timed_out,
                 fmt::format("{}:{}: no answer within {} ms", where.peer.host, where.peer.port, timeout_ms)};
  }
  return *answered;
}

}  // namespace baton::amqp
