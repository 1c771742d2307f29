#include "common/amqp/probe.hpp"

#include <fmt/format.h>

#include <optional>

namespace baton::amqp {
namespace {

struct listener : connection_events {
  void connection_opened() override { answered = done(); }
  void connection_lost(const error& why) override {
    if (!answered) answered = why;
  }
  std::optional<status> answered;
};

}  // namespace

status answers(const connection_options& where, std::int64_t timeout_ms) {
  event_loop loop;
  listener heard;
  connection trial(loop, where, heard);
  if (!loop.run_until([&] { return heard.answered.has_value(); }, timeout_ms)) {
    return error{errc::timed_out,
                 fmt::format("{}:{}: no answer within {} ms", where.peer.host, where.peer.port, timeout_ms)};
  }
  return *heard.answered;
}

}  // namespace baton::amqp
