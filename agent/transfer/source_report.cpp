#include "agent/transfer/source_report.hpp"

#include <algorithm>
#include <utility>

#include "agent/transfer/item_ledger.hpp"
#include "agent/transfer/source_machine.hpp"
#include "agent/transfer/transfer_log.hpp"
#include "common/log.hpp"
#include "common/text.hpp"

namespace baton::transfer {
namespace {

constexpr logger log{"Transfer"};
constexpr std::int64_t publish_interval_ms = 1000;

}  // namespace

void source_report::began(const plan_totals& totals, bool published) {
  log(messages::BFGTR0001I, request_->id, request_->source_agent, request_->destination_agent, totals.items,
      totals.bytes);
  if (published) return;
  auto event = log_event_of(*request_, record_, "started");
  event.items_total = totals.items;
  event.bytes_total = totals.bytes;
  agent_.publish(event, nullptr);  // nothing needs to wait for it: every other event says the same
}

void source_report::progress(formats::progress now) {
  rate_.add(now.bytes, boot_time_ms());
  now.rate = rate_.bytes_per_s();
  now.time_left_ms = rate_.left_ms(now.bytes_total - std::min(now.bytes, now.bytes_total));
  tell_who_waits(formats::subject::progress, to_json(now));
  if (boot_time_ms() - published_at_ms_ < publish_interval_ms) return;
  published_at_ms_ = boot_time_ms();
  record_progress(agent_.settings().transfer_log, *request_, now);
  agent_.publish(formats::transfer_status{now, request_->source_agent, request_->destination_agent, request_->job,
                                          wall_time_ms()});
}

std::string source_report::text_of(int code, const std::string& why) const {
  const std::uint64_t items = record_.succeeded + record_.failed;
  if (code == code_complete) return render(messages::BFGRP0032I);
  if (code == code_partial) {
    return render(messages::BFGRP0033I, record_.failed, items) + (why.empty() ? "" : " " + why);
  }
  if (code == code_failed && why.empty()) return render(messages::BFGRP0034I);
  if (code == code_cancelled) return render(messages::BFGRP0901I);
  if (code != code_recovery_timed_out) return why;
  const bool own = request_->recovery_timeout_s >= -1;
  return render(messages::BFGTR0014E,
                own ? request_->recovery_timeout_s : agent_.settings().recovery_timeout_ms / 1000);
}

void source_report::ended(int code, const std::string& why, const plan_totals& totals) {
  if (code == code_complete && record_.failed > 0) code = code_failed;
  if (code == code_failed && record_.succeeded > 0) code = code_partial;
  const std::string text = text_of(code, why);
  const std::int64_t elapsed = wall_time_ms() - record_.start_time_ms;
  const std::uint64_t items = record_.succeeded + record_.failed;
  const std::uint64_t wasted = record_.sent_bytes - std::min(record_.sent_bytes, record_.bytes);
  const auto rate = static_cast<std::uint64_t>(static_cast<double>(record_.bytes) * 1000 /
                                               static_cast<double>(std::max<std::int64_t>(elapsed, 1)));
  log(messages::BFGTR0002I, request_->id, code, items, record_.failed, record_.bytes, human_duration_ms(elapsed),
      human_bytes(rate), record_.recoveries, human_bytes(wasted), text);
  auto event = log_event_of(*request_, record_, code == code_cancelled ? "cancelled" : "completed");
  event.result_code = code;
  event.supplement = text;
  event.items_total = totals.items;
  event.bytes_total = totals.bytes;
  event.wasted_bytes = wasted;
  events_.publish(event);
  formats::reply answer;
  answer.result_code = code;
  answer.text = text;
  answer.transfer_id = request_->id;
  answer.items = items;
  answer.failed = record_.failed;
  answer.bytes = record_.bytes;
  answer.elapsed_ms = elapsed;
  answer.retries = record_.recoveries;
  answer.wasted_bytes = wasted;
  record_end(agent_.settings().transfer_log, *request_, answer);
  tell_who_waits(formats::subject::reply, to_json(answer));
}

void source_report::tell_who_waits(const char* subject, std::string body) {
  if (record_.reply_to.empty()) return;
  amqp::message m;
  m.durable = false;
  m.subject = subject;
  m.correlation_id = record_.correlation_id;
  m.body = std::move(body);
  agent_.send(record_.reply_to, std::move(m));
}

}  // namespace baton::transfer
