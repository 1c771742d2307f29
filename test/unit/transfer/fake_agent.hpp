// Stands for the agent behind a transfer: keeps what is sent, published and saved.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "agent/transfer/services.hpp"
#include "common/log.hpp"

namespace baton::test {

class fake_agent : public transfer::services {
 public:
  fake_agent() : pool_(loop_, 1) {
    settings_.items_per_progress = 3;
    (void)open_log({});
  }
  event_loop& loop() override { return loop_; }
  worker_pool& pool() override { return pool_; }
  const agent::settings& settings() const override { return settings_; }
  std::uint64_t epoch() const override { return 1; }
  const std::string& run() const override { return run_; }
  bool lease_holds() const override { return lease; }
  std::int64_t unfenced_from_ms() const override { return unfenced_from; }
  void outbid(std::uint64_t epoch) override { outbids.push_back(epoch); }
  void send(const std::string&, amqp::message m) override { sent.push_back(std::move(m)); }
  void send_data(const std::string&, amqp::message m) override { frames.push_back(std::move(m)); }
  void publish(const formats::log_event& event, std::function<void()> told) override {
    events.push_back(event);
    if (!told) return;
    log_is_slow ? untold.push_back(std::move(told)) : told();
  }
  void publish(const formats::transfer_status&) override {}
  void save(const formats::source_record& record, stored done) override {
    saved = record;
    saved_after_the_end |= forgotten;
    records.push_back(record);
    answer(std::move(done));
  }
  void save(const formats::plan_part& part, stored done) override {
    plan_parts.push_back(to_bytes(part));
    answer(std::move(done));
  }
  void save(const formats::destination_record& record) override { saved_destination = record; }
  void forget_source(const std::string&) override { forgotten = true; }
  void forget_destination(const std::string&) override { saved_destination.reset(); }
  amqp::connection_options qmgr() const override { return {}; }
  void status_changed() override {}

  agent::settings& change_settings() { return settings_; }

  std::vector<amqp::message> sent, frames;
  std::vector<formats::log_event> events;
  std::optional<formats::source_record> saved;
  std::vector<formats::source_record> records;
  std::vector<std::string> plan_parts;
  std::optional<formats::destination_record> saved_destination;
  bool forgotten = false, saved_after_the_end = false;
  bool keeps = true;              // the queue manager accepts records
  std::vector<stored> unsettled;  // with `slow`: what the queue manager has not answered
  bool slow = false;
  std::vector<std::function<void()>> untold;  // with `log_is_slow`: events that the log has not confirmed
  bool log_is_slow = false;
  std::atomic<bool> lease = true;
  std::atomic<std::int64_t> unfenced_from = 0;
  std::vector<std::uint64_t> outbids;

 private:
  void answer(stored done) {
    if (!done) return;
    if (slow) return unsettled.push_back(std::move(done));
    loop_.post([done, kept = keeps] { done(kept); });
  }

  const std::string run_ = "0123456789abcdef";
  event_loop loop_;
  agent::settings settings_;
  worker_pool pool_;
};

}  // namespace baton::test
