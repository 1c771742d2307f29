// The books of a source transfer: which items wait for the destination's result, what came of the others, and the log
// of all of them. Deletes sources whose arrival is certain, after a durable record says so: an instance that takes over
// can then tell a source that was deleted from one that is missing. Loop thread; deleting is done on a worker.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/transfer/event_log.hpp"
#include "agent/transfer/services.hpp"
#include "agent/transfer/source_reader.hpp"
#include "common/formats/transfer.hpp"

namespace baton::transfer {

class item_ledger {
 public:
  using save = std::function<void(std::function<void(bool stored)>)>;
  // `record` holds the sums and is kept up to date; `saved` makes it durable; `settled` is called whenever busy() may
  // have become false.
  item_ledger(services& agent, event_log& events, std::shared_ptr<const formats::transfer_request> request,
              formats::source_record& record, save saved, std::function<void()> settled);
  ~item_ledger();

  // Goes on with what an earlier activation was about to delete: these items of the record, as the plan has them.
  void adopt_deleting(std::vector<plan_item> items);

  // An item was read; it waits for its result, unless reading failed before the destination was told of it.
  void add(read_item item);
  // The destination's results. Repeated ones are ignored.
  void settle(const std::vector<formats::item_result>& results);
  // The transfer goes on from here: items from there on will be read again.
  void rewind(const formats::position& from);
  // The transfer has ended: items that never got a result count as failed with this text.
  void close_unanswered(const std::string& text);
  // Publishes what is left: before a record says that it is done, and at the end.
  void flush();
  bool busy() const { return !verified_.empty(); }
  // Items that the destination was told of have no result yet.
  bool lacks_results() const { return !waiting_.empty(); }
  // Behind the last item that was added.
  std::uint64_t next_number() const { return next_number_; }
  // The first item that has no result.
  std::uint64_t results_from() const { return floor_; }
  // Items behind that one which have a result.
  std::vector<std::uint64_t> closed_behind() const { return {closed_.begin(), closed_.end()}; }

 private:
  bool is_done(std::uint64_t number) const;
  void close(read_item item, int code, std::string text);
  void delete_next();
  void make_durable();
  void delete_when_allowed();
  void deleted(const std::vector<std::optional<std::string>>& kept);
  void try_again_in(std::int64_t delay_ms, void (item_ledger::*step)());

  services& agent_;
  event_log& events_;
  const std::shared_ptr<const formats::transfer_request> request_;
  formats::source_record& record_;
  const save save_;
  const std::function<void()> settled_;
  std::map<std::uint64_t, read_item> waiting_;
  std::map<std::uint64_t, formats::item_result> early_;  // results of items that have not been read to their end yet
  std::uint64_t next_number_;                            // behind the last item that was read
  std::uint64_t floor_;                                  // every item before has been closed
  std::set<std::uint64_t> closed_;                       // and these behind it
  std::set<std::uint64_t> verified_;                     // arrived; their sources are to be deleted
  std::deque<read_item> to_delete_;
  std::vector<read_item> deleting_;  // in a record that is durable, or on its way
  std::vector<formats::log_item> log_;
  event_loop::timer_id retry_ = 0;
  bool put_off_told_ = false;
  std::shared_ptr<std::atomic<bool>> over_ = std::make_shared<std::atomic<bool>>(false);  // stops the worker
};

// A log event of a transfer with what every event has.
formats::log_event log_event_of(const formats::transfer_request& request, formats::source_record& record,
                                const std::string& action);

}  // namespace baton::transfer
