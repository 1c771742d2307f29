#include "agent/transfer/item_ledger.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/log.hpp"
#include "common/text.hpp"

namespace baton::transfer {
namespace {

constexpr logger log{"Transfer"};

// Removes a source that arrived, if it is still the file that was read. A rendered warning, or empty.
std::string delete_source(const plan_item& item) {
  struct stat now {};
  if (::lstat(item.source.c_str(), &now) != 0) return errno == ENOENT ? "" : system_text(errno);
  if (identity_of(now) != item.identity) return "it changed after it was read";
  return ::unlink(item.source.c_str()) == 0 ? "" : system_text(errno);
}

}  // namespace

formats::log_event log_event_of(const formats::transfer_request& request, formats::source_record& record,
                                const std::string& action) {
  formats::log_event event;
  event.transfer_id = request.id;
  event.action = action;
  event.time_ms = wall_time_ms();
  event.sequence = record.log_sequence++;
  event.job = request.job;
  event.originator_host = request.originator_host;
  event.originator_user = request.originator_user;
  event.source_agent = request.source_agent;
  event.destination_agent = request.destination_agent;
  event.priority = request.priority;
  event.metadata = request.metadata;
  event.bytes_sent = record.bytes;
  event.failed = record.failed;
  event.warnings = record.warnings;
  event.start_time_ms = record.start_time_ms;
  event.retries = record.recoveries;
  return event;
}

item_ledger::item_ledger(services& agent, std::shared_ptr<const formats::transfer_request> request,
                         formats::source_record& record, std::function<void()> settled)
    : agent_(agent),
      request_(std::move(request)),
      record_(record),
      settled_(std::move(settled)),
      next_number_(record.results_from) {}

void item_ledger::add(read_item item) {
  next_number_ = item.item.number + 1;
  if (!item.told) {
    std::string text = item.failure;
    return close(std::move(item), 1, std::move(text));
  }
  const std::uint64_t number = item.item.number;
  waiting_.insert_or_assign(number, std::move(item));
  if (const auto known = early_.extract(number)) settle({known.mapped()});
}

void item_ledger::settle(const std::vector<formats::item_result>& results) {
  std::vector<read_item> to_delete;
  for (const auto& result : results) {
    auto found = waiting_.extract(result.number);
    if (!found && result.number >= next_number_) early_[result.number] = result;
    if (!found) continue;
    read_item& item = found.mapped();
    const bool remove = request_->specs[item.item.spec].source_disposition == formats::disposition::remove;
    if (result.result_code == 0 && remove && item.item.kind == formats::item_kind::file) {
      to_delete.push_back(std::move(item));
    } else {
      std::string text = item.failure.empty() ? result.text : item.failure;
      close(std::move(item), result.result_code, std::move(text));
    }
  }
  if (!to_delete.empty()) delete_sources(std::move(to_delete));
}

void item_ledger::delete_sources(std::vector<read_item> items) {
  ++jobs_;
  auto batch = std::make_shared<std::vector<read_item>>(std::move(items));
  agent_.pool().submit([this, batch, alive = std::weak_ptr<bool>(alive_)]() -> std::function<void()> {
    auto kept = std::make_shared<std::vector<std::string>>();
    for (const auto& item : *batch) kept->push_back(delete_source(item.item));
    return [this, batch, kept, alive] {
      if (alive.expired()) return;
      --jobs_;
      for (std::size_t i = 0; i < batch->size(); ++i) {
        const std::string& why = (*kept)[i];
        std::string text = why.empty() ? "" : render(messages::BFGTR0075W, name_to_text((*batch)[i].item.source), why);
        close(std::move((*batch)[i]), why.empty() ? 0 : 2, std::move(text));
      }
      settled_();
    };
  });
}

void item_ledger::close(read_item item, int code, std::string text) {
  if (code == 1) {
    ++record_.failed;
    log(messages::BFGTR0007E, item.item.number, request_->id, text);
  } else {
    ++record_.succeeded;
    record_.bytes += item.item.identity.size;
    if (code == 2) ++record_.warnings;
  }
  const auto& spec = request_->specs[item.item.spec];
  formats::log_item entry;
  entry.number = item.item.number;
  entry.source = name_to_text(item.item.source);
  entry.destination = name_to_text(item.item.destination);
  entry.size = item.item.identity.size;
  entry.modified_ms = item.item.identity.modified_s * 1000 + item.item.identity.modified_ns / 1000000;
  entry.checksum_method = formats::to_string(spec.checksum);
  entry.checksum = item.checksum;
  entry.result_code = code;
  entry.supplement = std::move(text);
  entry.disposition = formats::to_string(spec.source_disposition);
  entry.mode = formats::to_string(spec.mode);
  log_.push_back(std::move(entry));
  if (log_.size() >= agent_.settings().items_per_progress) flush();
}

void item_ledger::rewind(const formats::position& from) {
  waiting_.erase(waiting_.lower_bound(from.item), waiting_.end());
  early_.clear();
  next_number_ = from.item;
}

void item_ledger::close_unanswered(const std::string& text) {
  for (auto& [number, item] : std::exchange(waiting_, {})) {
    close(std::move(item), 1, item.failure.empty() ? text : item.failure);
  }
}

void item_ledger::flush() {
  if (log_.empty()) return;
  auto event = log_event_of(*request_, record_, "progress");
  event.items = std::move(log_);
  log_.clear();
  agent_.publish(event);
}

std::uint64_t item_ledger::results_from() const {
  return waiting_.empty() ? next_number_ : waiting_.begin()->first;
}

}  // namespace baton::transfer
