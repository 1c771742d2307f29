// One instance of an agent: connects its parts. Everything here runs on the loop's thread.
//
// What belongs to one activation (the links, the records on STATE, all transfers) lives exactly as long as it does: it
// is made by open_links() and dropped by end_activation(), when the links are lost. The next activation, in this
// process or another one, knows only what is on STATE.
//
// The seam for the lock: nothing takes the agent's queues but open_links(); losing the right to run is the same as
// losing the links.
#pragma once

#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agent/command_handler.hpp"
#include "agent/links.hpp"
#include "agent/publisher.hpp"
#include "agent/recent_ids.hpp"
#include "agent/settings.hpp"
#include "agent/state_store.hpp"
#include "agent/status_reporter.hpp"
#include "agent/transfer/transfers.hpp"
#include "common/loop.hpp"
#include "common/worker_pool.hpp"

namespace baton::agent {

class agent : public transfer::services {
 public:
  using locator = std::function<result<amqp::connection_options>()>;  // reads files; called on a worker
  // `quarantine`: where unreadable records are put. `reload`: the settings, read again, or none when they are wrong.
  struct environment {
    locator agent_qmgr, coordination_qmgr;
    std::string quarantine;
    std::function<std::optional<struct settings>()> reload;
  };
  agent(event_loop& loop, struct settings s, environment where);
  ~agent() override;

  void start();
  void stop(bool immediate);
  void reload();
  int exit_code() const { return exit_code_; }

  // transfer::services
  event_loop& loop() override { return loop_; }
  worker_pool& pool() override { return pool_; }
  const struct settings& settings() const override { return settings_; }
  std::uint64_t epoch() const override { return 1; }  // of the lock; there is one instance
  const std::string& run() const override { return run_; }
  bool lease_holds() const override { return true; }  // there is no lock yet
  std::int64_t unfenced_from_ms() const override { return 0; }
  void outbid(std::uint64_t epoch) override;
  void send(const std::string& address, amqp::message content) override;
  void send_data(const std::string& address, amqp::message content) override;
  void publish(const formats::log_event& event) override;
  void publish(const formats::transfer_status& status) override;
  void save(const formats::source_record& record, stored done) override { store_->save(record, std::move(done)); }
  void save(const formats::plan_part& part, stored done) override { store_->save(part, std::move(done)); }
  void save(const formats::destination_record& record) override { store_->save(record); }
  void forget_source(const std::string& transfer_id) override;
  void forget_destination(const std::string& transfer_id) override { store_->forget_destination(transfer_id); }
  void status_changed() override { reporter_.transfers_changed(); }

 private:
  void connect();
  void open_links(const amqp::connection_options& where);
  void begin_activation();
  void end_activation();
  command_handler::handlers command_handlers();
  state_store::handlers state_handlers();
  void ready();
  void lost(const error& why);
  void declare_queues();
  void retry_in(std::int64_t delay_ms);
  void received(inbound from, amqp::delivery_id delivery, amqp::message&& content);
  void received_reply(const amqp::message& content);
  void adopt(const formats::source_record& record);
  void shut_down(int code);
  void end_when_quiet(std::int64_t deadline_ms);

  event_loop& loop_;
  struct settings settings_;
  const environment where_;
  // To be random_hex(8) as soon as a lock gives each activation its own epoch: now all starts have one epoch, and two
  // runs with one epoch are refused by every peer.
  const std::string run_;
  status_reporter reporter_;
  recent_ids ended_;  // transfers whose request or record may still come again
  // Of one activation; all or none. In this order, because each uses those before it.
  std::unique_ptr<links> links_;
  std::unique_ptr<state_store> store_;
  std::unique_ptr<transfer::transfers> transfers_;
  std::unique_ptr<command_handler> commands_;
  int failures_ = 0;
  bool started_ = false, ready_ = false, stopping_ = false, ending_ = false;
  event_loop::timer_id retry_timer_ = 0;
  std::string qmgr_address_;
  amqp::connection_options found_;
  int exit_code_ = 0;
  worker_pool pool_;  // ends before what its jobs use
  publisher publisher_;
};

}  // namespace baton::agent
