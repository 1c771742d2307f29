// The books of a source transfer: which items wait for the destination's result, what came of the others, and the log
// of all of them. Deletes sources whose arrival is certain. Loop thread; deleting is done on a worker.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "agent/transfer/services.hpp"
#include "agent/transfer/source_reader.hpp"
#include "common/formats/transfer.hpp"

namespace baton::transfer {

class item_ledger {
 public:
  // `record` holds the sums and is kept up to date; `settled` is called whenever work on a worker has come back.
  item_ledger(services& agent, std::shared_ptr<const formats::transfer_request> request, formats::source_record& record,
              std::function<void()> settled);

  // An item was read; it waits for its result, unless reading failed before the destination was told of it.
  void add(read_item item);
  // The destination's results. Repeated ones are ignored.
  void settle(const std::vector<formats::item_result>& results);
  // The transfer goes on from here: items from there on will be read again.
  void rewind(const formats::position& from);
  // The transfer has ended: items that never got a result count as failed with this text.
  void close_unanswered(const std::string& text);
  // Publishes what is left. Call when busy() is false.
  void flush();
  bool busy() const { return jobs_ > 0; }
  // Behind the last item that was added.
  std::uint64_t next_number() const { return next_number_; }
  // The first item that has no result.
  std::uint64_t results_from() const;

 private:
  void close(read_item item, int code, std::string text);
  void delete_sources(std::vector<read_item> items);

  services& agent_;
  const std::shared_ptr<const formats::transfer_request> request_;
  formats::source_record& record_;
  const std::function<void()> settled_;
  std::map<std::uint64_t, read_item> waiting_;
  std::map<std::uint64_t, formats::item_result> early_;  // results of items that are still being read: refused at once
  std::uint64_t next_number_;                            // behind the last item that was read
  std::vector<formats::log_item> log_;
  int jobs_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// A log event of a transfer with what every event has.
formats::log_event log_event_of(const formats::transfer_request& request, formats::source_record& record,
                                const std::string& action);

}  // namespace baton::transfer
