#include "agent/transfer/transfer_log.hpp"

#include <fmt/chrono.h>

#include <ctime>
#include <nlohmann/json.hpp>

#include "common/log.hpp"
#include "common/loop.hpp"

namespace baton::transfer {
namespace {

std::string time_now() {
  const std::int64_t now = wall_time_ms();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(now / 1000)), now % 1000);
}

nlohmann::json event_of(const message& what, const std::string& description, const formats::transfer_request& request) {
  return {{"version", 1},
          {"dateTime", time_now()},
          {"eventId", what.id},
          {"eventDescription", description},
          {"transferId", request.id},
          {"job", request.job},
          {"sourceAgent", request.source_agent},
          {"destinationAgent", request.destination_agent},
          {"threadId", log_thread_number()}};
}

// What progress and the end have in common.
template <class Sums>
void add_sums(nlohmann::json& event, const Sums& of) {
  event["items"] = of.items;
  event["failed"] = of.failed;
  event["bytes"] = of.bytes;
  event["retryCount"] = of.retries;
  event["wastedBytes"] = of.wasted_bytes;
}

void write(const nlohmann::json& event) {
  record_line(event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

transfer_log_level transfer_log_level_of(std::string_view word) {
  if (word == "off") return transfer_log_level::off;
  if (word == "moderate") return transfer_log_level::moderate;
  return word == "verbose" ? transfer_log_level::verbose : transfer_log_level::info;
}

void record_request(transfer_log_level level, const formats::transfer_request& request) {
  if (level < transfer_log_level::info) return;
  auto event = event_of(messages::BFGTL0001I, render_text(messages::BFGTL0001I, request.id), request);
  event["priority"] = request.priority;
  event["originatorUser"] = request.originator_user;
  event["originatorHost"] = request.originator_host;
  event["sourceSpecifications"] = request.specs.size();
  write(event);
}

void record_progress(transfer_log_level level, const formats::transfer_request& request, const formats::progress& now) {
  if (level < transfer_log_level::moderate) return;
  auto event = event_of(messages::BFGTL0008I, render_text(messages::BFGTL0008I, now.items, now.items_total), request);
  add_sums(event, now);
  event["state"] = now.state;
  event["itemsTotal"] = now.items_total;
  event["bytesTotal"] = now.bytes_total;
  event["rate"] = now.rate;
  event["channel"] = now.channel;
  write(event);
}

void record_end(transfer_log_level level, const formats::transfer_request& request, const formats::reply& result) {
  if (level < transfer_log_level::info) return;
  auto event =
      event_of(messages::BFGTL0901I, render_text(messages::BFGTL0901I, result.result_code, result.text), request);
  add_sums(event, result);
  event["resultCode"] = result.result_code;
  event["elapsedMs"] = result.elapsed_ms;
  write(event);
}

void record_items(transfer_log_level level, const formats::transfer_request& request,
                  const std::vector<formats::log_item>& items) {
  if (level < transfer_log_level::moderate) return;
  auto list = nlohmann::json::array();
  for (const auto& item : items) {
    if (level < transfer_log_level::verbose && item.result_code == 0) continue;
    list.push_back({{"number", item.number},
                    {"source", item.source},
                    {"destination", item.destination},
                    {"size", item.size},
                    {"checksumMethod", item.checksum_method},
                    {"checksum", item.checksum},
                    {"resultCode", item.result_code},
                    {"text", item.supplement}});
  }
  if (list.empty()) return;
  auto event = event_of(messages::BFGTL0002I, render_text(messages::BFGTL0002I, list.size()), request);
  event["items"] = std::move(list);
  write(event);
}

}  // namespace baton::transfer
