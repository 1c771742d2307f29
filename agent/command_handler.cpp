#include "agent/command_handler.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "agent/transfer/item_ledger.hpp"
#include "agent/transfer/transfer_log.hpp"
#include "common/backoff.hpp"
#include "common/formats/queues.hpp"
#include "common/log.hpp"
#include "common/text.hpp"

namespace baton::agent {
namespace {

constexpr logger log{"CommandHandle"};
constexpr std::int64_t refused_first_ms = 1000, refused_longest_ms = 30000;
constexpr std::size_t left_max = 10000;
constexpr int code_ok = 0, code_wrong_agent = 4, code_unknown_transfer = 26, code_malformed = 43, code_unreachable = 49;

// What is wrong with a request that could be read: a result code and a text. Code 0: nothing.
std::pair<int, std::string> fault_of(const formats::transfer_request& r, const agent::settings& s) {
  if (const auto sound = formats::check(r); !sound) return {code_malformed, sound.error().text};
  if (r.source_agent != s.name) return {code_wrong_agent, "it is for agent " + r.source_agent};
  if (!r.destination_qmgr.empty() && r.destination_qmgr != s.qmgr) {
    return {code_unreachable, fmt::format("agent {} is on queue manager {}; transfers between queue managers are not "
                                          "supported yet, both agents must be on {}",
                                          r.destination_agent, r.destination_qmgr, s.qmgr)};
  }
  return {code_ok, {}};
}

}  // namespace

command_handler::command_handler(transfer::services& agent, transfer::transfers& transfers, handlers to)
    : agent_(agent), transfers_(transfers), to_(std::move(to)) {}

void command_handler::received(amqp::delivery_id delivery, amqp::message&& content) {
  namespace subject = formats::subject;
  if (content.subject == subject::transfer_request) return request(delivery, content);
  if (content.subject == subject::negotiate) {
    const auto ask = formats::read_negotiate(content.body);
    if (ask)
      transfers_.on_negotiate(*ask);
    else
      unreadable(ask.error().text);
  } else if (content.subject == subject::finish) {
    const auto end = formats::read_finish(content.body);
    if (end)
      transfers_.on_finish(*end);
    else
      unreadable(end.error().text);
  } else if (content.subject == subject::transfer_query) {
    const auto asked = formats::read_transfer_query(content.body);
    if (asked)
      transfers_.on_query(*asked);
    else
      unreadable(asked.error().text);
  } else if (content.subject == subject::transfer_cancel) {
    cancel(content);
  } else if (content.subject == subject::agent_ping) {
    ping(content);
  } else if (content.subject == subject::agent_stop) {
    stop(content);
  } else if (content.subject == subject::standby_status) {
    standby(std::move(content.body));
  } else {
    unreadable(fmt::format("its subject '{}' is not known", content.subject));
  }
  to_.settle(delivery);
}

// Settled only when its durable record exists: until then the queue manager keeps the request.
void command_handler::request(amqp::delivery_id delivery, const amqp::message& content) {
  if (draining_) {  // for the next start; what comes behind it must be heard, the end of a transfer not least
    if (left_++ < left_max) to_.make_room(delivery);
    return;
  }
  auto parsed = formats::read_transfer_request(content.body);
  if (!parsed) {
    refuse(content, {}, code_malformed, parsed.error().text, "malformed");
    return to_.settle(delivery);
  }
  formats::transfer_request& wanted = *parsed;
  if (transfers_.knows(wanted.id) || pending(wanted.id) != pending_.end() || to_.ended(wanted.id)) {
    log(messages::BFGTR0020W, wanted.id);
    return to_.settle(delivery);
  }
  auto [code, fault] = fault_of(wanted, agent_.settings());
  if (code == code_ok) {
    if (const auto refused = transfers_.check(pending_.size()))
      std::tie(code, fault) = std::pair{refused->result_code, refused->text};
  }
  if (code != code_ok) {
    refuse(content, wanted, code, fault, code == code_malformed ? "malformed" : "completed");
    return to_.settle(delivery);
  }
  formats::source_record record;
  record.transfer_id = wanted.id;
  record.request = content.body;
  record.reply_to = wanted.wait ? content.reply_to : "";
  record.correlation_id = content.correlation_id;
  record.arrival = transfers_.next_arrival();
  record.start_time_ms = wall_time_ms();
  transfer::record_request(agent_.settings().transfer_log, wanted);
  const std::uint64_t arrival = record.arrival;
  pending_[arrival] = {delivery, std::move(record), std::move(wanted)};
  keep(arrival);
}

void command_handler::keep(std::uint64_t arrival) {
  const auto its = pending_.find(arrival);
  if (its == pending_.end()) return;
  to_.save(its->second.record, [this, arrival](bool stored) { kept(arrival, stored); });
}

// Records may become durable in another order than that of their requests, which is the one that counts. A queue
// manager without room refuses them: the request stays with it, and the record is offered again.
void command_handler::kept(std::uint64_t arrival, bool stored) {
  const auto its = pending_.find(arrival);
  if (its == pending_.end()) return;
  its->second.kept = stored;
  if (!stored) {
    if (its->second.refused == 0) to_.make_room(its->second.delivery);
    const std::int64_t wait_ms = doubled_wait_ms(refused_first_ms, its->second.refused++, refused_longest_ms);
    agent_.loop().after(wait_ms, [this, arrival, alive = std::weak_ptr<bool>(alive_)] {
      if (!alive.expired() && !draining_) keep(arrival);
    });
  }
  admit_kept();
}

// One whose record is refused is not waited for.
void command_handler::admit_kept() {
  for (auto next = pending_.begin(); next != pending_.end() && (next->second.kept || next->second.refused > 0);) {
    const auto its = next++;
    if (!its->second.kept) continue;
    auto one = pending_.extract(its);
    to_.settle(one.mapped().delivery);
    transfers_.admit(std::move(one.mapped().record), std::move(one.mapped().request));
  }
}

std::map<std::uint64_t, command_handler::request_being_kept>::iterator command_handler::pending(
    const std::string& transfer_id) {
  return std::find_if(pending_.begin(), pending_.end(),
                      [&](const auto& one) { return one.second.record.transfer_id == transfer_id; });
}

void command_handler::adopted(const std::string& transfer_id) {
  const auto repeated = pending(transfer_id);
  if (repeated == pending_.end()) return;
  to_.settle(repeated->second.delivery);
  pending_.erase(repeated);
  admit_kept();
}

void command_handler::refuse(const amqp::message& content, const formats::transfer_request& request, int code,
                             const std::string& text, const char* action) {
  const std::string why = render(messages::BFGTR0006E, request.id.empty() ? "(unreadable)" : request.id, text);
  log(messages::BFGTR0006E, request.id.empty() ? "(unreadable)" : request.id, text);
  answer(content, code, why);
  if (request.id.empty()) return;
  formats::source_record record;
  record.start_time_ms = wall_time_ms();
  auto event = transfer::log_event_of(request, record, action);
  event.result_code = code;
  event.supplement = why;
  agent_.publish(event, nullptr);
}

void command_handler::cancel(const amqp::message& content) {
  const auto asked = formats::read_cancel_request(content.body);
  if (!asked) {
    answer(content, code_malformed, asked.error().text);
    return unreadable(asked.error().text);
  }
  if (transfers_.cancel(asked->id)) {
    const auto by = content.properties.find("user");
    log(messages::BFGCH0902I, asked->id, by != content.properties.end() ? by->second : "a command");
    return answer(content, code_ok, "");
  }
  // The destination's side passes it on: the source decides what becomes of a transfer.
  if (const std::string source = transfers_.source_agent_of(asked->id); !source.empty()) {
    return agent_.send(formats::command_queue(source), content);
  }
  answer(content, code_unknown_transfer, render(messages::BFGCH0903E, agent_.settings().name, asked->id));
}

void command_handler::ping(const amqp::message& content) {
  answer(content, code_ok, "", to_.about());
}

void command_handler::stop(const amqp::message& content) {
  const auto asked = formats::read_stop_request(content.body);
  if (!asked) {
    answer(content, code_malformed, asked.error().text);
    return unreadable(asked.error().text);
  }
  if (!asked->instance.empty() && asked->instance != agent_.settings().instance) {
    return answer(content, code_wrong_agent,
                  render(messages::BFGCH0904E, asked->instance, agent_.settings().name, agent_.settings().instance));
  }
  // After this message has been settled, or it would stop the agent's next run too.
  auto then = [&loop = agent_.loop(), stop = to_.stop, immediate = asked->immediate] {
    loop.after(0, [stop, immediate] { stop(immediate); });
  };
  if (content.reply_to.empty()) return then();
  answer(content, code_ok, "", {}, std::move(then));
}

// Read on a worker: requests do not wait for it.
void command_handler::standby(std::string body) {
  agent_.pool().submit([this, body = std::move(body), alive = std::weak_ptr<bool>(alive_)]() -> std::function<void()> {
    auto read = std::make_shared<result<formats::instance_status>>(formats::read_instance_status(body));
    return [this, read, alive] {
      if (alive.expired()) return;
      if (*read)
        to_.standby(**read);
      else
        unreadable(read->error().text);
    };
  });
}

void command_handler::answer(const amqp::message& to, int code, const std::string& text,
                             const std::map<std::string, std::string>& details, std::function<void()> then) {
  if (to.reply_to.empty()) return;
  formats::reply reply;
  reply.result_code = code;
  reply.text = text;
  reply.details = details;
  amqp::message m;
  m.durable = false;
  m.subject = formats::subject::reply;
  m.correlation_id = to.correlation_id;
  m.body = to_json(reply);
  if (then) return to_.answer_and_then(to.reply_to, std::move(m), std::move(then));
  agent_.send(to.reply_to, std::move(m));
}

void command_handler::unreadable(const std::string& why) {
  log(messages::BFGCH0901W, formats::command_queue(agent_.settings().name), why);
}

}  // namespace baton::agent
