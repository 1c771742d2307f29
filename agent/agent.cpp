#include "agent/agent.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "agent/exit_codes.hpp"
#include "common/amqp/dialect.hpp"
#include "common/formats/queues.hpp"
#include "common/log.hpp"
#include "common/text.hpp"

namespace baton::agent {
namespace {

constexpr logger log{"Agent"};
constexpr std::int64_t reconnect_ms_first = 200, reconnect_ms_max = 30000;
constexpr std::int64_t declare_timeout_ms = 5000;
constexpr std::size_t ended_ids_max = 10000;

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
      run_("without lock"),
      reporter_(
          loop, settings_,
          [this](formats::agent_status& status) {
            if (!transfers_) return;
            status.source_transfers = transfers_->source_states();
            status.destination_transfers = transfers_->destination_states();
            status.queued_transfers = transfers_->queued();
          },
          [this](const formats::agent_status& status) {
            publisher_.publish(publication(formats::subject::agent_status, to_json(status), true));
          }),
      ended_(ended_ids_max),
      pool_(loop, settings_.io_threads),
      publisher_(loop, pool_, where_.coordination_qmgr) {}

agent::~agent() = default;

void agent::start() {
  publisher_.start();
  connect();
}

void agent::connect() {
  if (stopping_ && ending_) return;
  pool_.submit([this, find = where_.agent_qmgr]() -> std::function<void()> {
    auto found = find();
    return [this, found] {
      if (ending_) return;
      if (!found) return lost(found.error());
      open_links(*found);
    };
  });
}

void agent::open_links(const amqp::connection_options& where) {
  found_ = where;
  qmgr_address_ = fmt::format("{}:{}", where.peer.host, where.peer.port);
  reporter_.set_qmgr(where.peer.host, where.peer.port);
  log(messages::BFGAG0901I, settings_.name, settings_.qmgr, qmgr_address_);
  const auto data_credit = settings_.window_frames * 4;
  links_ = std::make_unique<links>(
      loop_, where, settings_.name, data_credit,
      links::handlers{[this] { ready(); }, [this](const error& why) { loop_.post([this, why] { lost(why); }); },
                      [this](inbound from, amqp::delivery_id delivery, amqp::message&& content) {
                        received(from, delivery, std::move(content));
                      },
                      [this](const std::string& address, const error& why) {
                        if (transfers_) transfers_->unreachable(address, why.text);
                      }});
  begin_activation();
}

void agent::begin_activation() {
  store_ = std::make_unique<state_store>(loop_, settings_.name, where_.quarantine, state_handlers());
  transfers_ =
      std::make_unique<transfer::transfers>(*this, [this] { loop_.post([this] { shut_down(exit_stopped); }); });
  commands_ = std::make_unique<command_handler>(*this, *transfers_, command_handlers());
}

// Results of workers that come later find no object.
void agent::end_activation() {
  commands_.reset();
  transfers_.reset();
  store_.reset();
  links_.reset();
}

state_store::handlers agent::state_handlers() {
  return {
      [this](amqp::message content, std::function<void(amqp::outcome)> settled) {
        links_->send(formats::state_queue(settings_.name), std::move(content), std::move(settled));
      },
      [this](amqp::delivery_id delivery, amqp::outcome how) { links_->settle(inbound::state, delivery, how); },
      [this] { links_->add_state_credit(); },
      [this](const formats::source_record& record) { adopt(record); },
      [this](const formats::destination_record& record) { transfers_->adopt(record); },
      [this](const formats::plan_part& part, std::function<void()> kept) { transfers_->adopt(part, std::move(kept)); },
      [this] { transfers_->state_read(); }};
}

command_handler::handlers agent::command_handlers() {
  return {[this](amqp::delivery_id delivery) {
            if (links_) links_->settle(inbound::command, delivery, amqp::outcome::accepted);
          },
          [this](bool immediate) { stop(immediate); },
          [this] {
            const auto now = reporter_.current();
            return std::map<std::string, std::string>{
                {"status", now.status}, {"version", now.version}, {"host", now.host}, {"pid", std::to_string(now.pid)}};
          },
          [this](const std::string& id) { return ended_.has(id); },
          [this](const formats::source_record& record, std::function<void(bool)> done) {
            store_->save(record, std::move(done));
          }};
}

void agent::ready() {
  ready_ = true;
  failures_ = 0;
  store_->mark();
  if (stopping_) return;
  log(messages::BFGAG0059I, settings_.name);
  started_ = true;
  reporter_.set_state("READY");
}

void agent::lost(const error& why) {
  if (ending_) return;
  const bool was_ready = std::exchange(ready_, false);
  end_activation();
  reporter_.transfers_changed();
  if (stopping_) return shut_down(exit_stopped);  // what was under way goes on at the next start
  if (why.code == errc::not_found && !was_ready && found_.peer.port != 0 &&
      why.text.find("SYSTEM.FTE") != std::string::npos) {
    return declare_queues();
  }
  if (why.code == errc::in_use) {
    log(messages::BFGMQ1045I, why.text.substr(0, why.text.find(':')));
    log(messages::BFGAG0035W, why.text.substr(0, why.text.find(':')), settings_.qmgr, settings_.qmgr_retry_ms / 1000);
    return retry_in(settings_.qmgr_retry_ms);
  }
  if (settings_.bindings) {
    log(messages::BFGAG0170W, settings_.name, settings_.qmgr);
    return shut_down(exit_qmgr_unavailable);
  }
  const std::int64_t delay = std::min(reconnect_ms_first << std::min(failures_++, 10), reconnect_ms_max);
  if (was_ready)
    log(messages::BFGAG0183I, settings_.qmgr, why.text);
  else
    log(messages::BFGAG0902W, settings_.qmgr, why.text, human_duration_ms(delay));
  retry_in(delay);
}

void agent::retry_in(std::int64_t delay_ms) {
  loop_.cancel(retry_timer_);
  retry_timer_ = loop_.after(delay_ms, [this] { connect(); });
}

void agent::declare_queues() {
  pool_.submit([this, where = found_, name = settings_.name]() -> std::function<void()> {
    auto queues = formats::agent_queues(name);
    const auto made = amqp::embedded_dialect().declare(where, queues, declare_timeout_ms);
    return [this, made] {
      if (made)
        log(messages::BFGAG0910I, settings_.qmgr);
      else
        log(messages::BFGAG0911E, settings_.qmgr, made.error().text);
      retry_in(made ? 0 : settings_.qmgr_retry_ms);
    };
  });
}

void agent::received(inbound from, amqp::delivery_id delivery, amqp::message&& content) {
  if (!transfers_) return;
  if (from == inbound::command) return commands_->received(delivery, std::move(content));
  if (from == inbound::state) return store_->received(delivery, content);
  // Data and answers are taken off at once: what is lost of them is asked for again.
  if (links_) links_->settle(from, delivery, amqp::outcome::accepted);
  if (from == inbound::data)
    transfers_->on_frame(std::move(content.body));
  else
    received_reply(content);
}

void agent::received_reply(const amqp::message& content) {
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

void agent::forget_source(const std::string& transfer_id) {
  ended_.add(transfer_id);
  store_->forget_source(transfer_id);
}

void agent::outbid(std::uint64_t epoch) {
  log(messages::BFGTR0024W, settings_.name, epoch, this->epoch());
}

void agent::send(const std::string& address, amqp::message content) {
  if (links_) links_->send(address, std::move(content));
}

void agent::send_data(const std::string& address, amqp::message content) {
  if (links_) links_->send_data(address, std::move(content));
}

void agent::publish(const formats::log_event& event) {
  publisher_.publish(publication(formats::subject::transfer_log, to_json(event), true));
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
  next.coordination = settings_.coordination;
  next.plan_directory = settings_.plan_directory;
  next.io_threads = settings_.io_threads;
  settings_ = std::move(next);
  log(messages::BFGAG0908I);
}

void agent::stop(bool immediate) {
  if (ending_) return;
  if (immediate) {
    log(messages::BFGAG0071I, settings_.name);
    return shut_down(exit_stopped);
  }
  if (std::exchange(stopping_, true)) return;
  const auto running = transfers_ ? transfers_->source_states().size() + transfers_->destination_states().size() : 0;
  log(messages::BFGAG0904I, settings_.name, running);
  reporter_.set_state("STOPPING");
  if (!transfers_) return shut_down(exit_stopped);
  commands_->drain();
  transfers_->drain();
}

void agent::shut_down(int code) {
  if (std::exchange(ending_, true)) return;
  exit_code_ = code;
  loop_.cancel(retry_timer_);
  reporter_.set_state(code == exit_stopped ? "STOPPED" : "ENDED UNEXPECTEDLY");
  end_when_quiet(boot_time_ms() + settings_.shutdown_timeout_ms);
}

void agent::end_when_quiet(std::int64_t deadline_ms) {
  if (!publisher_.quiet() && boot_time_ms() < deadline_ms && exit_code_ == exit_stopped) {
    loop_.after(20, [this, deadline_ms] { end_when_quiet(deadline_ms); });
    return;
  }
  end_activation();
  publisher_.close();
  if (exit_code_ == exit_stopped) log(messages::BFGAG0903I, settings_.name);
  loop_.stop();
}

}  // namespace baton::agent
