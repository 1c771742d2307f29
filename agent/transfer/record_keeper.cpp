#include "agent/transfer/record_keeper.hpp"

#include <algorithm>
#include <utility>

namespace baton::transfer {
namespace {

constexpr std::uint64_t results_unsaved_max = 500;
constexpr std::int64_t save_interval_ms = 2000;

}  // namespace

record_keeper::record_keeper(services& agent, event_log& events, item_ledger& ledger, formats::source_record& record,
                             std::function<void(bool)> kept)
    : agent_(agent), events_(events), ledger_(ledger), record_(record), kept_(std::move(kept)) {
  note_durable(record_);
}

void record_keeper::save(services::stored done) {
  saved_at_ms_ = boot_time_ms();
  ledger_.flush();
  record_.results_from = ledger_.results_from();
  record_.done = ledger_.closed_behind();
  record_.epoch = agent_.epoch();
  ++record_.sequence;
  events_.when_told([this, over = over_, record = record_, done = std::move(done)]() mutable {
    if (!*over) save_now(record, std::move(done));
  });
}

void record_keeper::save_now(const formats::source_record& record, services::stored done) {
  agent_.save(record, [this, over = std::weak_ptr<bool>(over_), record, done = std::move(done)](bool kept) {
    if (over.expired()) return;
    if (kept) note_durable(record);
    if (done) done(kept);
    if (!over.expired()) kept_(kept);
  });
}

void record_keeper::save_when_behind(bool waited_for) {
  const std::uint64_t unsaved = ledger_.results_from() - record_.results_from;  // of the record as it was saved last
  const bool due = boot_time_ms() - saved_at_ms_ >= save_interval_ms;
  if (unsaved >= results_unsaved_max || due || (waited_for && unsaved > 0)) save();
}

bool record_keeper::has_room() const {
  const std::uint64_t behind = ledger_.next_number() - std::min(durable_results_from_, ledger_.next_number());
  return behind + formats::items_per_frame_max <= formats::results_told_again(agent_.settings().window_frames);
}

void record_keeper::note_durable(const formats::source_record& kept) {
  durable_results_from_ = std::max(durable_results_from_, kept.results_from);
  durably_done_ = {kept.done.begin(), kept.done.end()};
  for (const auto& item : kept.deleting) durably_done_.insert(item.number);
}

}  // namespace baton::transfer
