#include "agent/transfer/source_messages.hpp"

#include <utility>

#include "agent/transfer/source_path.hpp"
#include "common/formats/queues.hpp"

namespace baton::transfer {
namespace {

void send(services& agent, const formats::transfer_request& request, amqp::message content) {
  agent.send(formats::command_queue(request.destination_agent), std::move(content));
}

// What every question has.
template <class Question>
Question about(services& agent, const formats::transfer_request& request, const asked& now) {
  Question q;
  q.transfer_id = request.id;
  q.epoch = now.epoch;
  q.run = agent.run();
  q.attempt = now.attempt;
  return q;
}

}  // namespace

void send_negotiate(services& agent, const formats::transfer_request& request, const asked& now,
                    const plan_totals& totals, std::uint64_t results_from, bool again, const seen_peer& seen) {
  const auto& s = agent.settings();
  auto ask = about<formats::negotiate>(agent, request, now);
  ask.source_agent = request.source_agent;
  ask.job = request.job;
  ask.items_total = totals.items;
  ask.bytes_total = totals.bytes;
  ask.results_from = results_from;
  ask.again = again;
  ask.epoch_seen = seen.epoch;
  ask.run_seen = seen.run;
  const auto limits = limits_wanted(agent, false);
  ask.chunk_bytes = limits.chunk_bytes;
  ask.window_frames = limits.window_frames;
  ask.direct = s.data.direct && source_path::worth_it(totals.items, totals.bytes);
  amqp::message m;
  m.subject = formats::subject::negotiate;
  m.body = to_json(ask);
  m.ttl_ms = static_cast<std::uint32_t>(s.negotiation_timeout_ms);
  send(agent, request, std::move(m));
}

void send_query(services& agent, const formats::transfer_request& request, const asked& now, std::int64_t good_for_ms) {
  auto q = about<formats::transfer_query>(agent, request, now);
  q.source_agent = request.source_agent;
  amqp::message m;
  m.durable = false;
  m.subject = formats::subject::transfer_query;
  m.ttl_ms = static_cast<std::uint32_t>(good_for_ms);
  m.body = to_json(q);
  send(agent, request, std::move(m));
}

void send_finish(services& agent, const formats::transfer_request& request, const asked& now, std::string_view how,
                 std::vector<std::string> directories) {
  auto end = about<formats::finish>(agent, request, now);
  end.how = how;
  end.source_agent = request.source_agent;
  end.directories = std::move(directories);
  amqp::message m;
  m.subject = formats::subject::finish;
  m.body = to_json(end);
  send(agent, request, std::move(m));
}

}  // namespace baton::transfer
