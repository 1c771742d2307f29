// The durable record of a source transfer: when it is saved, and what of it is known to be on STATE. Loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>

#include "agent/transfer/event_log.hpp"
#include "agent/transfer/item_ledger.hpp"
#include "agent/transfer/services.hpp"
#include "common/formats/state.hpp"

namespace baton::transfer {

class record_keeper {
 public:
  // `record` as it was found, or new; it is kept up to date by its owners, and with it the `ledger`. `kept` is called
  // after each record that is on STATE.
  record_keeper(services& agent, event_log& events, item_ledger& ledger, formats::source_record& record,
                std::function<void(bool kept)> kept);
  record_keeper(const record_keeper&) = delete;
  record_keeper& operator=(const record_keeper&) = delete;

  // Saves the record as it is now, as soon as what it says is in the log.
  void save(services::stored done = nullptr);
  // The destination repeats only so many results: the record must not fall behind by more. `waited_for`: reading waits.
  void save_when_behind(bool waited_for);
  // Nothing is saved from now on: a record that comes behind the end of its transfer would be found by the next
  // activation, which has no plan for it any more.
  void end() { *over_ = true; }

  // An item more can be read, and its result told again if need be.
  bool has_room() const;
  // Items that need not be sent again, whatever the destination says. Of the others a new activation of it has to have
  // results: the next activation of this agent may not.
  const std::set<std::uint64_t>& durably_done() const { return durably_done_; }

 private:
  void save_now(const formats::source_record& record, services::stored done);
  void note_durable(const formats::source_record& kept);

  services& agent_;
  event_log& events_;
  item_ledger& ledger_;
  formats::source_record& record_;
  const std::function<void(bool)> kept_;
  // What the record on STATE says: the first item without a result, and those behind it that have one.
  std::uint64_t durable_results_from_ = 0;
  std::set<std::uint64_t> durably_done_;
  std::int64_t saved_at_ms_ = 0;
  std::shared_ptr<bool> over_ = std::make_shared<bool>(false);
};

}  // namespace baton::transfer
