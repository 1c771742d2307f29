#include "agent/agent.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "agent/exit_codes.hpp"
#include "common/amqp/dialect.hpp"
#include "common/formats/queues.hpp"
#include "common/log.hpp"
#include "common/once.hpp"
#include "common/text.hpp"

namespace baton::agent {
namespace {

constexpr logger log{"Agent"};
constexpr std::size_t ended_ids_max = 10000;
constexpr std::int64_t answer_patience_ms = 1000;  // for who asked to stop; it may have gone
// For the checkpoints of all transfers, and what is on its way to STATE; then it goes on without.
constexpr std::int64_t halt_ms = 3000, halt_poll_ms = 2;
constexpr std::int64_t fail_back_look_ms = 500, aside_ms = 1000;

amqp::message publication(const char* subject, std::string body, bool durable) {
  amqp::message m;
  m.durable = durable;
  m.subject = subject;
  m.body = std::move(body);
  return m;
}

}  // namespace

agent::agent(event_loop& loop, struct settings s, environment where)
    : loop_(loop),
      settings_(std::move(s)),
      where_(std::move(where)),
      reporter_(
          loop, settings_,
          [this](formats::agent_status& status) {
            if (!transfers_) return;
            status.source_transfers = transfers_->source_states();
            status.destination_transfers = transfers_->destination_states();
            status.queued_transfers = transfers_->queued();
            fill_instances(status);
          },
          [this](const formats::agent_status& status) {
            publisher_.publish(publication(formats::subject::agent_status, to_json(status), true));
          }),
      ended_(ended_ids_max),
      copy_(settings_.qmgr_count > 1),
      pool_(loop, settings_.io_threads),
      ended_elsewhere_(pool_, settings_.ended_file),
      publisher_(loop, pool_, where_.coordination_qmgr, where_.publishing),
      instances_(settings_.standby_discard_ms),
      fail_back_(settings_.fail_back, settings_.fail_back_delay_ms, settings_.instance_priority),
      standby_(loop, pool_, settings_,
               {[this](const std::string& address, amqp::message content, std::function<void()> settled) {
                  instance_.send(address, std::move(content), std::move(settled));
                },
                [this] { return instance_.qmgr(); }, [this] { return instance_.epoch(); },
                [this](std::uint64_t epoch) { instance_.heard_of(epoch); }, [this] { leave(exit_cannot_run); }}),
      instance_(loop, pool_, settings_, where_.agent_qmgr, instance_handlers()),
      relocation_(loop, pool_, settings_.name, settings_.qmgr_retry_ms, relocation_handlers()) {}

agent::~agent() = default;

instance::handlers agent::instance_handlers() {
  instance::handlers to;
  to.activated = [this](links& through, std::int64_t unfenced_from_ms) { activated(through, unfenced_from_ms); };
  to.opened = [this] { opened(); };
  to.ready = [this] { ready(); };
  to.deactivated = [this] { deactivated(); };
  to.received = [this](inbound from, amqp::delivery_id delivery, amqp::message&& content) {
    received(from, delivery, std::move(content));
  };
  to.unreachable = [this](const std::string& address, const error& why) {
    if (transfers_) transfers_->unreachable(address, why.text);
  };
  to.role_changed = [this](instance::role now) { role_changed(now); };
  to.found_qmgr = [this](const std::string& host, int port) { reporter_.set_qmgr(host, port); };
  to.ended = [this](int exit_code) { end_when_quiet(exit_code, boot_time_ms() + settings_.shutdown_timeout_ms); };
  return to;
}

void agent::start() {
  where_.role_changed(to_string(instance_.current()));
  if (settings_.qmgr_count > 1) {
    log(messages::BFGAG0925W, settings_.name, settings_.qmgr_count);
    for (const auto& id : ended_elsewhere_.load()) ended_.add(id);
  }
  instance_.start();
}

void agent::activated(links& through, std::int64_t unfenced_from_ms) {
  links_ = &through;
  unfenced_from_ms_ = unfenced_from_ms;
  halting_ = false;
  // Before the queues are open: records come as soon as STATE is, and that may be before the others are.
  if (!instance_.elsewhere()) copy_.clear();
  store_ = std::make_unique<state_store>(loop_, settings_.name, where_.quarantine, state_handlers());
  transfers_ = std::make_unique<transfer::transfers>(*this, [this] { loop_.post([this] { leave_drained(); }); });
  commands_ = std::make_unique<command_handler>(*this, *transfers_, command_handlers());
}

void agent::ready() {
  log(messages::BFGAG0059I, settings_.name);
  reporter_.set_state("READY");
  if (settings_.qmgr_count > 1) relocation_.active(true);
}

// At another queue manager STATE knows nothing of what was under way: it is brought along, in front of the mark.
void agent::opened() {
  if (instance_.elsewhere() && !copy_.empty()) {
    log(messages::BFGAG0929I, settings_.name);
    for (auto& one : copy_.messages()) links_->send(formats::state_queue(settings_.name), std::move(one));
    copy_.left_behind();
  }
  store_->mark();
}

// Results of workers that come later find no object.
void agent::deactivated() {
  relocation_.active(false);
  loop_.cancel(halt_timer_);
  halting_ = false;
  commands_.reset();
  transfers_.reset();
  store_.reset();
  links_ = nullptr;
  reporter_.transfers_changed();
  if (stopping_) leave(exit_stopped);  // what was under way goes on at the next start, or elsewhere
}

void agent::role_changed(instance::role now) {
  where_.role_changed(to_string(now));
  if (!settings_.highly_available) return;
  const bool active = now == instance::role::active;
  if (active) became_active();
  loop_.cancel(fail_back_timer_);
  if (active && settings_.fail_back) look_for_preferred();
  // Only the active instance publishes, for all of them.
  reporter_.publish_as_active(active);
  standby_.stand_by(now == instance::role::standby);
}

void agent::became_active() {
  active_since_ms_ = wall_time_ms();
  instances_.clear();
  const auto& before = instance_.predecessor();
  fail_back_.active(before.instance == settings_.instance && before.released);
  formats::takeover event;
  event.agent = settings_.name;
  event.instance = settings_.instance;
  event.host = host_name();
  event.epoch = epoch();
  event.previous_instance = before.instance;
  event.previous_host = before.host;
  event.previous_epoch = before.epoch;
  event.clean = before.released;
  event.time_ms = active_since_ms_;
  event.duration_ms = instance_.takeover_ms();
  if (before.epoch > 0) event.outage_ms = std::max<std::int64_t>(active_since_ms_ - before.renewed_ms, 0);
  publisher_.publish(publication(formats::subject::agent_takeover, to_json(event), true));
}

void agent::standby_heard(const formats::instance_status& heard) {
  using change = instance_list::change;
  if (heard.name == settings_.instance) return;  // this one, before it became active
  // It was active at another queue manager, which knows nothing of the epochs here.
  if (settings_.qmgr_count > 1 && heard.role == "standby" && heard.epoch >= epoch()) outbid(heard.epoch);
  const change what = instances_.merge(heard, boot_time_ms());
  if (what == change::joined) log(messages::BFGAG0919I, heard.name, heard.host, heard.version);
  if (what == change::joined && heard.version != BATON_VERSION)
    log(messages::BFGAG0918W, settings_.instance, BATON_VERSION, heard.name, heard.version);
  if (what == change::ended) log(messages::BFGAG0921I, heard.name, heard.host);
  if (what != change::none) reporter_.instances_changed();
  expire_instances();
}

void agent::expire_instances() {
  for (const auto& gone : instances_.expire(boot_time_ms())) {
    log(messages::BFGAG0920W, gone.name, gone.host, human_duration_ms(settings_.standby_discard_ms));
    reporter_.instances_changed();
  }
  loop_.cancel(expire_timer_);
  const std::int64_t due = instances_.expires_ms();
  if (due == std::numeric_limits<std::int64_t>::max()) return;
  expire_timer_ = loop_.after(std::max<std::int64_t>(due - boot_time_ms(), 1), [this] { expire_instances(); });
}

void agent::fill_instances(formats::agent_status& status) const {
  if (!settings_.highly_available) return;
  status.epoch = epoch();
  formats::instance_status own;
  own.name = settings_.instance;
  own.role = "active";
  own.host = status.host;
  own.version = status.version;
  own.pid = status.pid;
  own.priority = settings_.instance_priority;
  own.format = formats::state_format;
  own.epoch = epoch();
  own.since_ms = active_since_ms_;
  status.instances = instances_.snapshot(boot_time_ms());
  status.instances.insert(status.instances.begin(), own);
}

state_store::handlers agent::state_handlers() {
  return {[this](amqp::message content, std::function<void(amqp::outcome)> settled) {
            links_->send(formats::state_queue(settings_.name), std::move(content), std::move(settled));
          },
          [this](amqp::delivery_id delivery, amqp::outcome how) { links_->settle(inbound::state, delivery, how); },
          [this] { links_->add_state_credit(); },
          [this](const formats::source_record& record) {
            if (!ended_.has(record.transfer_id)) copy_.keep(record);
            if (transfers_) adopt(record);
          },
          [this](const formats::destination_record& record) {
            copy_.keep(record);
            if (transfers_) transfers_->adopt(record);
          },
          [this](const formats::plan_part& part, std::function<void()> kept) {
            copy_.keep(part);
            transfers_ ? transfers_->adopt(part, std::move(kept)) : kept();
          },
          [this] {
            if (!transfers_) return;
            transfers_->begin();
            instance_.state_read();
          }};
}

command_handler::handlers agent::command_handlers() {
  return {
      [this](amqp::delivery_id delivery) {
        if (links_) links_->settle(inbound::command, delivery, amqp::outcome::accepted);
      },
      [this](amqp::delivery_id delivery) {
        if (links_) links_->make_room(delivery);
      },
      [this](bool immediate) { stop(immediate); },
      [this](const std::string& address, amqp::message answer, std::function<void()> then) {
        instance_.send(address, std::move(answer), once_within(loop_, answer_patience_ms, std::move(then)));
      },
      [this](const formats::instance_status& heard) { standby_heard(heard); },
      [this] {
        const auto now = reporter_.current();
        return std::map<std::string, std::string>{{"status", now.status},
                                                  {"version", now.version},
                                                  {"host", now.host},
                                                  {"pid", std::to_string(now.pid)},
                                                  {"instance", now.instance},
                                                  {"format", std::to_string(formats::state_format)},
                                                  {"epoch", std::to_string(epoch())}};
      },
      [this](const std::string& id) { return ended_.has(id); },
      [this](const formats::source_record& record, std::function<void(bool)> done) { save(record, std::move(done)); }};
}

void agent::received(inbound from, amqp::delivery_id delivery, amqp::message&& content) {
  if (from == inbound::state && store_) return store_->received(delivery, content);
  if (!transfers_) return;
  if (from == inbound::command) return commands_->received(delivery, std::move(content));
  if (from == inbound::data) return transfers_->on_frame(std::move(content.bulk));
  // Answers are taken off at once: what is lost of them is asked for again.
  if (links_) links_->settle(from, delivery, amqp::outcome::accepted);
  received_reply(content);
}

void agent::received_reply(const amqp::message& content) {
  if (content.subject == formats::subject::queue_mark) return;
  if (content.subject == formats::subject::ack) {
    const auto a = formats::read_ack(content.body);
    if (a) return transfers_->on_ack(*a);
    return log(messages::BFGTR0008W, formats::reply_queue(settings_.name), a.error().text);
  }
  if (content.subject == formats::subject::negotiated) {
    const auto answer = formats::read_negotiated(content.body);
    if (answer) return transfers_->on_negotiated(*answer);
    return log(messages::BFGTR0008W, formats::reply_queue(settings_.name), answer.error().text);
  }
  log(messages::BFGTR0008W, formats::reply_queue(settings_.name), "its subject '" + content.subject + "' is not known");
}

void agent::adopt(const formats::source_record& record) {
  if (ended_.has(record.transfer_id)) return store_->forget_source(record.transfer_id);
  auto request = formats::read_transfer_request(record.request);
  if (!request) {
    log(messages::BFGTR0008W, formats::state_queue(settings_.name), request.error().text);
    return;
  }
  log(messages::BFGTR0021I, record.transfer_id, formats::state_queue(settings_.name));
  commands_->adopted(record.transfer_id);
  transfers_->adopt(record, std::move(*request));
}

void agent::save(const formats::source_record& record, stored done) {
  copy_.keep(record);
  store_->save(record, std::move(done));
}

void agent::save(const formats::plan_part& part, stored done) {
  copy_.keep(part);
  store_->save(part, std::move(done));
}

void agent::save(const formats::destination_record& record) {
  copy_.keep(record);
  store_->save(record);
}

void agent::forget_destination(const std::string& transfer_id) {
  copy_.forget_destination(transfer_id);
  store_->forget_destination(transfer_id);
}

relocation::handlers agent::relocation_handlers() {
  return {[this] {
            return settings_.qmgr_priority_backup && instance_.away() && instance_.may_step_aside() && !stopping_ &&
                   !leaving_;
          },
          [this] { return instance_.first_qmgr(); },
          [this](std::function<void()> then) { halt(std::move(then)); },
          [this] { return copy_.messages(); },
          [this] {
            return store_ ? store_->held([this](const std::string& id) { return copy_.has_source(id); },
                                         [this](const std::string& id) { return copy_.has_destination(id); })
                          : std::vector<amqp::delivery_id>{};
          },
          [this](const std::vector<amqp::delivery_id>& some) {
            if (store_) store_->settle(some);
            copy_.clear();
          },
          [this](bool moved) { instance_.step_aside(1, moved); }};
}

void agent::look_for_preferred() {
  fail_back_timer_ = loop_.after(fail_back_look_ms, [this] { look_for_preferred(); });
  if (halting_ || stopping_ || leaving_ || !instance_.may_step_aside()) return;
  const auto better = fail_back_.due(instances_, boot_time_ms());
  if (!better) return;
  log(messages::BFGAG0930I, settings_.instance, better->name);
  halt([this] { instance_.step_aside(aside_ms, false); });
}

void agent::halt(std::function<void()> then) {
  if (std::exchange(halting_, true) || !transfers_) return;
  commands_->drain();
  halted(std::move(then), boot_time_ms() + halt_ms);
}

void agent::halted(std::function<void()> then, std::int64_t deadline_ms) {
  const bool late = boot_time_ms() >= deadline_ms;
  if (transfers_ && (late || transfers_->at_checkpoint())) {
    commands_.reset();
    transfers_.reset();
  }
  if (!transfers_ && (late || (pool_.idle() && !store_->on_their_way()))) return then();
  halt_timer_ = loop_.after(
      halt_poll_ms, [this, then = std::move(then), deadline_ms]() mutable { halted(std::move(then), deadline_ms); });
}

void agent::forget_source(const std::string& transfer_id) {
  ended_.add(transfer_id);
  if (copy_.forget_source(transfer_id)) ended_elsewhere_.add(transfer_id);
  store_->forget_source(transfer_id);
}

void agent::outbid(std::uint64_t epoch) {
  loop_.post([this, epoch] { instance_.outbid(epoch); });  // it may end the activation that says this
}

void agent::send(const std::string& address, amqp::message content) {
  if (links_) links_->send(address, std::move(content));
}

void agent::send_data(const std::string& address, amqp::message content) {
  if (links_) links_->send_data(address, std::move(content));
}

void agent::publish(const formats::log_event& event, std::function<void()> told) {
  publisher_.publish(publication(formats::subject::transfer_log, to_json(event), true), std::move(told));
}

void agent::publish(const formats::transfer_status& status) {
  publisher_.publish(publication(formats::subject::transfer_progress, to_json(status), false));
}

void agent::reload() {
  const auto fresh = where_.reload();
  if (!fresh) return;
  // Who the agent is and where it connects stays until the next start.
  auto next = *fresh;
  next.name = settings_.name;
  next.qmgr = settings_.qmgr;
  next.bindings = settings_.bindings;
  next.qmgr_count = settings_.qmgr_count;
  next.qmgr_randomize = settings_.qmgr_randomize;
  next.highly_available = settings_.highly_available;
  next.instance = settings_.instance;
  next.instance_priority = settings_.instance_priority;
  next.hang_back_ms = settings_.hang_back_ms;
  next.fail_back = settings_.fail_back;
  next.fail_back_delay_ms = settings_.fail_back_delay_ms;
  next.coordination = settings_.coordination;
  next.plan_directory = settings_.plan_directory;
  next.io_threads = settings_.io_threads;
  next.data = settings_.data;
  settings_ = std::move(next);
  log(messages::BFGAG0908I);
}

void agent::stop(bool immediate) {
  if (leaving_) return;
  if (immediate) {
    log(messages::BFGAG0071I, settings_.name);
    return leave(exit_stopped);
  }
  if (std::exchange(stopping_, true)) return;
  const auto running = transfers_ ? transfers_->source_states().size() + transfers_->destination_states().size() : 0;
  log(messages::BFGAG0904I, settings_.name, running);
  reporter_.set_state("STOPPING");
  if (!transfers_) return leave(exit_stopped);
  commands_->drain();
  transfers_->drain();
}

// The next one must not find records of transfers that have ended.
void agent::leave_drained() {
  const auto go_on = once_within(loop_, answer_patience_ms, [this] { leave(exit_stopped); });
  if (store_)
    store_->when_quiet(go_on);
  else
    go_on();
}

void agent::leave(int exit_code) {
  if (std::exchange(leaving_, true)) return;
  reporter_.set_state(exit_code == exit_stopped ? "STOPPED" : "ENDED UNEXPECTEDLY");
  standby_.leave([this, exit_code] { loop_.post([this, exit_code] { instance_.stop(exit_code); }); });
}

void agent::end_when_quiet(int exit_code, std::int64_t deadline_ms) {
  exit_code_ = exit_code;
  if (!publisher_.quiet() && boot_time_ms() < deadline_ms && exit_code == exit_stopped) {
    loop_.after(20, [this, exit_code, deadline_ms] { end_when_quiet(exit_code, deadline_ms); });
    return;
  }
  publisher_.close();
  if (exit_code == exit_stopped) log(messages::BFGAG0903I, settings_.name);
  loop_.stop();
}

}  // namespace baton::agent
