// An agent without a queue manager: what it sends is on a wire that the test empties, what it saves is on a STATE queue
// that outlives it. When the power of its disk goes, what it does since then never happened.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/transfer/transfers.hpp"
#include "test/power/forgetful_disk.hpp"

namespace baton::test {

struct wire_message {
  std::string address;
  amqp::message content;
};

class simulated_agent : public transfer::services {
 public:
  simulated_agent(event_loop& loop, std::deque<wire_message>& wire, forgetful_disk& disk, const agent::settings& s)
      : loop_(loop), wire_(wire), disk_(disk), settings_(s), pool_(loop, 0) {}

  event_loop& loop() override { return loop_; }
  worker_pool& pool() override { return pool_; }
  const agent::settings& settings() const override { return settings_; }
  std::uint64_t epoch() const override { return epoch_; }
  const std::string& run() const override { return run_; }
  bool lease_holds() const override { return true; }
  std::int64_t unfenced_from_ms() const override { return 0; }
  void outbid(std::uint64_t) override {}
  void send(const std::string& address, amqp::message m) override {
    if (disk_.dark()) return;
    if (sending) sending(m);
    wire_.push_back({address, std::move(m)});
  }
  void send_data(const std::string& address, amqp::message m) override { send(address, std::move(m)); }
  void publish(const formats::log_event& event, std::function<void()> told) override {
    // On a way of its own: what has not been told when the power goes is lost.
    if (disk_.dark()) return;
    loop_.post([this, event, told = std::move(told), life = life_] {
      if (life != life_ || disk_.dark()) return;
      events.push_back(event);
      if (told) told();
    });
  }
  void publish(const formats::transfer_status&) override {}
  void save(const formats::source_record& record, stored done) override {
    save([this, record] { keep(sources_, record); }, std::move(done));
  }
  void save(const formats::destination_record& record) override {
    save([this, record] { keep(destinations_, record); }, nullptr);
  }
  void save(const formats::plan_part& part, stored done) override {
    save([this, bytes = to_bytes(part)] { parts_.push_back(bytes); }, std::move(done));
  }
  void forget_source(const std::string&) override {
    save([this] { sources_.reset(); }, nullptr);
  }
  void forget_destination(const std::string&) override {
    save([this] { destinations_.reset(); }, nullptr);
  }
  amqp::connection_options qmgr() const override { return {}; }
  void status_changed() override {}

  // A start of the agent: it adopts what is on STATE.
  void start() {
    run_ = std::to_string(++epoch_);
    transfers = std::make_unique<transfer::transfers>(*this, [] {});
    for (const auto& bytes : parts_) transfers->adopt(*formats::read_plan_part(bytes), [] {});
    if (sources_) transfers->adopt(*sources_, *formats::read_transfer_request(sources_->request));
    if (destinations_) transfers->adopt(*destinations_);
    transfers->begin();
  }
  // The power went: of what STATE had not confirmed, a part from the beginning was kept.
  void end(generator& random) {
    transfers.reset();
    ++life_;
    for (std::size_t count = below(random, unconfirmed_.size() + 1); count > 0; --count) {
      unconfirmed_.front()();
      unconfirmed_.pop_front();
    }
    unconfirmed_.clear();
  }
  bool has_destination_record() const { return destinations_.has_value(); }
  bool knows() const { return sources_.has_value(); }

  std::unique_ptr<transfer::transfers> transfers;
  std::vector<formats::log_event> events;
  std::function<void(const amqp::message&)> sending;  // looks at what is said when it is said

 private:
  template <class Record>
  static void keep(std::optional<Record>& newest, const Record& record) {
    if (!newest || newest->sequence < record.sequence) newest = record;
  }

  // On STATE in the order of sending, and confirmed later.
  void save(std::function<void()> put, stored done) {
    if (disk_.dark()) return;
    unconfirmed_.push_back(std::move(put));
    loop_.post([this, done = std::move(done), life = life_] {
      if (life != life_ || disk_.dark()) return;
      unconfirmed_.front()();
      unconfirmed_.pop_front();
      if (done) done(true);
    });
  }

  event_loop& loop_;
  std::deque<wire_message>& wire_;
  forgetful_disk& disk_;
  const agent::settings settings_;
  worker_pool pool_;
  std::uint64_t epoch_ = 0, life_ = 0;
  std::string run_;
  std::optional<formats::source_record> sources_;
  std::optional<formats::destination_record> destinations_;
  std::vector<std::string> parts_;
  std::deque<std::function<void()>> unconfirmed_;
};

}  // namespace baton::test
