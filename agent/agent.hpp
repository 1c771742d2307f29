// One instance of an agent: connects its parts. Everything here runs on the loop's thread.
//
// What belongs to one activation (the records on STATE, all transfers) lives exactly as long as it does: from
// activated() to deactivated(). The next activation, in this process or another one, knows only what is on STATE.
#pragma once

#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agent/command_handler.hpp"
#include "agent/ended_elsewhere.hpp"
#include "agent/fail_back.hpp"
#include "agent/instance.hpp"
#include "agent/instance_list.hpp"
#include "agent/links.hpp"
#include "agent/publisher.hpp"
#include "agent/recent_ids.hpp"
#include "agent/relocation.hpp"
#include "agent/settings.hpp"
#include "agent/standby_reporter.hpp"
#include "agent/state_copy.hpp"
#include "agent/state_store.hpp"
#include "agent/status_reporter.hpp"
#include "agent/transfer/transfers.hpp"
#include "common/loop.hpp"
#include "common/worker_pool.hpp"

namespace baton::agent {

class agent : public transfer::services {
 public:
  // Queue managers in the order of their list; reads files; called on a worker.
  using locator = std::function<result<std::vector<amqp::connection_options>>()>;
  // `quarantine`: where unreadable records are put. `reload`: the settings, read again, or none when they are wrong.
  struct environment {
    locator agent_qmgr, coordination_qmgr;
    publisher::options publishing;
    std::string quarantine;
    std::function<std::optional<struct settings>()> reload;
    std::function<void(const std::string& role)> role_changed;  // starting, standby, active, stopped: for commands here
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
  std::uint64_t epoch() const override { return instance_.epoch(); }
  const std::string& run() const override { return instance_.run(); }
  bool lease_holds() const override { return instance_.lease_holds(); }
  std::int64_t unfenced_from_ms() const override { return unfenced_from_ms_; }
  void outbid(std::uint64_t epoch) override;
  void send(const std::string& address, amqp::message content) override;
  void send_data(const std::string& address, amqp::message content) override;
  void publish(const formats::log_event& event, std::function<void()> told) override;
  void publish(const formats::transfer_status& status) override;
  void save(const formats::source_record& record, stored done) override;
  void save(const formats::plan_part& part, stored done) override;
  void save(const formats::destination_record& record) override;
  void forget_source(const std::string& transfer_id) override;
  void forget_destination(const std::string& transfer_id) override;
  amqp::connection_options qmgr() const override { return instance_.qmgr(); }
  void status_changed() override { reporter_.transfers_changed(); }

 private:
  instance::handlers instance_handlers();
  void activated(links& through, std::int64_t unfenced_from_ms);
  state_store::handlers state_handlers();
  void ready();
  void deactivated();
  void role_changed(instance::role now);
  void became_active();
  void standby_heard(const formats::instance_status& heard);
  void expire_instances();
  void fill_instances(formats::agent_status& status) const;
  command_handler::handlers command_handlers();
  void received(inbound from, amqp::delivery_id delivery, amqp::message&& content);
  void received_reply(const amqp::message& content);
  void adopt(const formats::source_record& record);
  relocation::handlers relocation_handlers();
  void opened();
  void look_for_preferred();
  // Work is cancelled at a checkpoint, while the activation goes on; then `then`, unless it ended meanwhile.
  void halt(std::function<void()> then);
  void halted(std::function<void()> then, std::int64_t deadline_ms);
  void leave_drained();
  void leave(int exit_code);
  void end_when_quiet(int exit_code, std::int64_t deadline_ms);

  event_loop& loop_;
  struct settings settings_;
  const environment where_;
  status_reporter reporter_;
  recent_ids ended_;  // transfers whose request or record may still come again
  // Of one activation; all or none. In this order, because each uses those before it.
  links* links_ = nullptr;
  std::unique_ptr<state_store> store_;
  std::unique_ptr<transfer::transfers> transfers_;
  std::unique_ptr<command_handler> commands_;
  std::int64_t unfenced_from_ms_ = 0;
  state_copy copy_;
  bool halting_ = false;
  event_loop::timer_id halt_timer_ = 0;
  bool stopping_ = false, leaving_ = false;
  int exit_code_ = 0;
  worker_pool pool_;  // ends before what its jobs use
  ended_elsewhere ended_elsewhere_;
  publisher publisher_;
  instance_list instances_;  // that stand by, while this one is active
  std::int64_t active_since_ms_ = 0;
  event_loop::timer_id expire_timer_ = 0;
  fail_back fail_back_;
  event_loop::timer_id fail_back_timer_ = 0;
  standby_reporter standby_;
  instance instance_;
  relocation relocation_;
};

}  // namespace baton::agent
