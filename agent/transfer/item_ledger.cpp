#include "agent/transfer/item_ledger.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "agent/transfer/transfer_log.hpp"
#include "common/log.hpp"
#include "common/text.hpp"

namespace baton::transfer {
namespace {

constexpr logger log{"Transfer"};
constexpr std::size_t deleting_max = 1000;  // bounds what a record holds
constexpr std::int64_t retry_ms = 1000;

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

item_ledger::item_ledger(services& agent, event_log& events, std::shared_ptr<const formats::transfer_request> request,
                         formats::source_record& record, save saved, std::function<void()> settled)
    : agent_(agent),
      events_(events),
      request_(std::move(request)),
      record_(record),
      save_(std::move(saved)),
      settled_(std::move(settled)),
      next_number_(record.results_from),
      floor_(record.results_from),
      closed_(record.done.begin(), record.done.end()) {
  for (const auto& item : record.deleting) verified_.insert(item.number);
}

item_ledger::~item_ledger() {
  *over_ = true;
  agent_.loop().cancel(retry_);
}

void item_ledger::adopt_deleting(std::vector<plan_item> items) {
  std::map<std::uint64_t, plan_item> planned;
  for (auto& item : items) planned.emplace(item.number, std::move(item));
  for (const auto& left : record_.deleting) {
    const auto found = planned.find(left.number);
    if (found == planned.end()) {
      verified_.erase(left.number);  // not in the plan: nothing to go on with
      continue;
    }
    read_item entry;
    entry.item = std::move(found->second);
    entry.item.identity = {left.size, left.device, left.inode, left.modified_s, left.modified_ns};
    entry.checksum = left.checksum;
    deleting_.push_back(std::move(entry));
  }
  if (!deleting_.empty()) delete_when_allowed();
}

bool item_ledger::is_done(std::uint64_t number) const {
  return number < floor_ || closed_.count(number) > 0 || verified_.count(number) > 0;
}

void item_ledger::add(read_item item) {
  next_number_ = item.item.number + 1;
  if (is_done(item.item.number)) return;
  if (!item.told) {
    std::string text = item.failure;
    return close(std::move(item), 1, std::move(text));
  }
  const std::uint64_t number = item.item.number;
  waiting_.insert_or_assign(number, std::move(item));
  if (const auto known = early_.extract(number)) settle({known.mapped()});
}

void item_ledger::settle(const std::vector<formats::item_result>& results) {
  for (const auto& result : results) {
    if (is_done(result.number)) continue;
    auto found = waiting_.extract(result.number);
    if (!found && result.number >= next_number_) early_[result.number] = result;
    if (!found) continue;
    read_item& item = found.mapped();
    const bool remove = request_->specs[item.item.spec].source_disposition == formats::disposition::remove;
    if (result.result_code == 0 && remove && item.item.kind == formats::item_kind::file) {
      verified_.insert(result.number);
      to_delete_.push_back(std::move(item));
    } else {
      std::string text = item.failure.empty() ? result.text : item.failure;
      close(std::move(item), result.result_code, std::move(text));
    }
  }
  delete_next();
}

// Previous: nothing is being deleted. Next: make_durable.
void item_ledger::delete_next() {
  if (!deleting_.empty() || to_delete_.empty()) return;
  record_.deleting.clear();
  while (!to_delete_.empty() && deleting_.size() < deleting_max) {
    const read_item& item = deleting_.emplace_back(std::move(to_delete_.front()));
    to_delete_.pop_front();
    const file_identity& file = item.item.identity;
    record_.deleting.push_back(
        {item.item.number, file.size, file.device, file.inode, file.modified_s, file.modified_ns, item.checksum});
  }
  make_durable();
}

// Previous: delete_next. Next: delete_when_allowed.
void item_ledger::make_durable() {
  save_([this, over = over_](bool stored) {
    if (*over) return;
    if (stored)
      delete_when_allowed();
    else
      try_again_in(retry_ms, &item_ledger::make_durable);
  });
}

// Previous: make_durable, or a record of an earlier activation. Next: deleted.
void item_ledger::delete_when_allowed() {
  const std::int64_t early_ms = agent_.unfenced_from_ms() - boot_time_ms();
  if (early_ms > 0) {
    if (!std::exchange(put_off_told_, true)) {
      log(messages::BFGTR0030I, request_->id, human_duration_ms(early_ms));
    }
    return try_again_in(early_ms, &item_ledger::delete_when_allowed);
  }
  std::vector<plan_item> items;
  for (const auto& item : deleting_) items.push_back(item.item);
  agent_.pool().submit([this, &agent = agent_, items = std::move(items), over = over_]() -> std::function<void()> {
    auto kept = std::make_shared<std::vector<std::optional<std::string>>>();
    for (const auto& item : items) {
      if (*over) return nullptr;
      if (agent.lease_holds())
        kept->push_back(delete_source(item));
      else
        kept->push_back(std::nullopt);
    }
    return [this, kept, over] {
      if (!*over) deleted(*kept);
    };
  });
}

// Previous: delete_when_allowed. Next: that again for what the lease did not allow, else delete_next. `kept`: why each
// was kept, empty when it is gone, none when it was not looked at.
void item_ledger::deleted(const std::vector<std::optional<std::string>>& kept) {
  std::vector<read_item> left;
  for (std::size_t i = 0; i < deleting_.size(); ++i) {
    if (!kept[i]) {
      left.push_back(std::move(deleting_[i]));
      continue;
    }
    const std::string& why = *kept[i];
    std::string text = why.empty() ? "" : render(messages::BFGTR0075W, name_to_text(deleting_[i].item.source), why);
    close(std::move(deleting_[i]), why.empty() ? 0 : 2, std::move(text));
  }
  deleting_ = std::move(left);
  if (!deleting_.empty()) return try_again_in(retry_ms, &item_ledger::delete_when_allowed);
  record_.deleting.clear();
  delete_next();
  settled_();
}

void item_ledger::try_again_in(std::int64_t delay_ms, void (item_ledger::*step)()) {
  agent_.loop().cancel(retry_);
  retry_ = agent_.loop().after(delay_ms, [this, step] { (this->*step)(); });
}

void item_ledger::close(read_item item, int code, std::string text) {
  verified_.erase(item.item.number);
  closed_.insert(item.item.number);
  while (closed_.erase(floor_) > 0) ++floor_;
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
  // Results that came early stay: the destination will not tell them again.
  waiting_.erase(waiting_.lower_bound(from.item), waiting_.end());
  next_number_ = from.item;
}

void item_ledger::close_unanswered(const std::string& text) {
  for (auto& [number, item] : std::exchange(waiting_, {})) {
    std::string why = item.failure.empty() ? text : item.failure;
    close(std::move(item), 1, std::move(why));
  }
}

void item_ledger::flush() {
  if (log_.empty()) return;
  auto event = log_event_of(*request_, record_, "progress");
  record_items(agent_.settings().transfer_log, *request_, log_);
  event.items = std::move(log_);
  log_.clear();
  events_.publish(event);
}

}  // namespace baton::transfer
