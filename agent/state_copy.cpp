#include "agent/state_copy.hpp"

#include <algorithm>
#include <cstdlib>

namespace baton::agent {
namespace {

template <class Record>
amqp::message message_of(const char* subject, Record record) {
  ++record.sequence;
  amqp::message m;
  m.subject = subject;
  m.body = to_json(record);
  return m;
}

template <class Record>
void keep_newer(std::map<std::string, Record>& records, const Record& record) {
  const auto known = records.find(record.transfer_id);
  if (known == records.end() || known->second.sequence <= record.sequence) records[record.transfer_id] = record;
}

}  // namespace

void state_copy::keep(const formats::source_record& record) {
  if (wanted_) keep_newer(sources_, record);
}

void state_copy::keep(const formats::destination_record& record) {
  if (wanted_) keep_newer(destinations_, record);
}

void state_copy::keep(const formats::plan_part& content) {
  if (!wanted_ || part_bytes_ + content.packed.size() > part_bytes_max) return;
  const auto [at, fresh] = parts_[content.transfer_id].try_emplace({content.plan_check, content.number},
                                                                   part{content.count, std::string(content.packed)});
  if (fresh) part_bytes_ += at->second.packed.size();
}

void state_copy::drop_parts(const std::string& transfer_id) {
  const auto its = parts_.extract(transfer_id);
  if (its.empty()) return;
  for (const auto& [key, one] : its.mapped()) part_bytes_ -= one.packed.size();
}

bool state_copy::forget_source(const std::string& transfer_id) {
  const auto known = sources_.extract(transfer_id);
  drop_parts(transfer_id);
  if (left_.count(transfer_id) == 0) return false;
  if (known && ended_.size() < ended_max) ended_[transfer_id] = known.mapped();
  return true;
}

void state_copy::forget_destination(const std::string& transfer_id) {
  destinations_.erase(transfer_id);
}

void state_copy::clear() {
  sources_.clear();
  ended_.clear();
  destinations_.clear();
  parts_.clear();
  left_.clear();
  part_bytes_ = 0;
}

// With a plan whose parts are missing nobody could go on.
bool state_copy::complete(const formats::source_record& record) const {
  if (!record.planned || record.result_code != formats::source_record::not_ended) return true;
  const auto its = parts_.find(record.transfer_id);
  if (its == parts_.end()) return false;
  const std::uint64_t check = std::strtoull(record.plan_check.c_str(), nullptr, 16);
  const auto of_plan =
      std::count_if(its->second.begin(), its->second.end(), [&](const auto& one) { return one.first.first == check; });
  return static_cast<std::uint64_t>(of_plan) >= record.plan_parts;
}

bool state_copy::has_source(const std::string& transfer_id) const {
  const auto known = sources_.find(transfer_id);
  return known != sources_.end() ? complete(known->second) : ended_.count(transfer_id) > 0;
}

std::vector<amqp::message> state_copy::messages() const {
  std::vector<amqp::message> all;
  for (const auto& [id, record] : sources_) {
    if (!complete(record)) continue;
    const auto its = parts_.find(id);
    for (const auto& [key, one] : its == parts_.end() ? decltype(its->second){} : its->second) {
      amqp::message m;
      m.subject = formats::subject::plan_part;
      m.body = to_bytes(formats::plan_part{id, key.first, key.second, one.count, one.packed});
      all.push_back(std::move(m));
    }
    all.push_back(message_of(formats::subject::source_record, record));
  }
  for (const auto& [id, record] : ended_) all.push_back(message_of(formats::subject::source_record, record));
  for (const auto& [id, record] : destinations_) {
    all.push_back(message_of(formats::subject::destination_record, record));
  }
  return all;
}

void state_copy::left_behind() {
  for (const auto& [id, record] : sources_) left_[id] = true;
}

}  // namespace baton::agent
