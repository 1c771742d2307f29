// The plan of a transfer at its source: listed, or found again after a takeover, and on STATE before data moves under
// its numbers. Loop thread; listing and reading is done on workers.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/transfer/plan_collector.hpp"
#include "agent/transfer/plan_sender.hpp"
#include "agent/transfer/planner.hpp"
#include "agent/transfer/services.hpp"

namespace baton::transfer {

class source_plan : public std::enable_shared_from_this<source_plan> {
 public:
  struct handlers {
    std::function<void()> listed;  // by make(): totals() are known, and it waits for keep()
    std::function<void()> ready;   // once at most: data may move
    std::function<void(int code, std::string text)> failed;
    std::function<void(services::stored)> save;  // makes the record durable
  };
  using lister =
      std::function<std::optional<plan_failure>(const planner_options&, const std::function<void(plan_item)>&)>;
  struct listing {
    plan_totals totals;
    plan_summary summary;
    std::optional<plan_failure> failure;
  };
  // `record` names the plan, or will; `collector` may have parts of it.
  source_plan(services& agent, plan_collector& collector, std::shared_ptr<const formats::transfer_request> request,
              formats::source_record& record, handlers to);
  ~source_plan() { stop(); }

  void make();
  // Of one item that is known already.
  void make(plan_item only);
  // The one that the record names: the file of this host if it is the right one, else the parts on STATE.
  void find();
  // Puts the parts on STATE, and behind them the record that names them.
  void keep();
  // Nothing is called any more.
  void stop();
  // It is not needed any more.
  void remove();

  // `then` gets the items with these numbers, which rise; none when the plan cannot be read.
  void look_up(std::vector<std::uint64_t> numbers, std::function<void(std::vector<plan_item>)> then);
  const std::string& path() const { return path_; }
  const plan_totals& totals() const { return totals_; }

 private:
  void make(lister list);
  void made(const listing& made, const std::string& fresh);
  void collect(const plan_summary& wanted);
  void adopt_parts(const plan_summary& wanted);
  void kept_in_part(bool kept);

  services& agent_;
  plan_collector& collector_;
  const std::shared_ptr<const formats::transfer_request> request_;  // jobs on workers keep it alive
  formats::source_record& record_;
  const handlers to_;
  const std::string path_;
  plan_totals totals_;
  plan_summary summary_;
  std::shared_ptr<plan_sender> sender_;
  int kept_ = 0;  // of two: the parts, and the record that names them
  event_loop::timer_id timer_ = 0;
  std::shared_ptr<std::atomic<bool>> stopped_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace baton::transfer
