#include "agent/standby_reporter.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "agent/fail_back.hpp"
#include "common/amqp/requester.hpp"
#include "common/formats/instances.hpp"
#include "common/formats/lock.hpp"
#include "common/formats/queues.hpp"
#include "common/formats/requests.hpp"
#include "common/log.hpp"
#include "common/once.hpp"
#include "common/text.hpp"

namespace baton::agent {
namespace {
constexpr logger log{"Instance"};
constexpr std::int64_t answer_timeout_ms = 2000, goodbye_patience_ms = 1000;
}  // namespace

standby_reporter::standby_reporter(event_loop& loop, worker_pool& pool, const settings& s, handlers to)
    : loop_(loop), pool_(pool), settings_(s), to_(std::move(to)) {}

standby_reporter::~standby_reporter() {
  loop_.cancel(timer_);
}

void standby_reporter::stand_by(bool yes) {
  if (std::exchange(standing_by_, yes) == yes) return;
  loop_.cancel(timer_);
  if (!yes) return;
  since_ms_ = wall_time_ms();
  compared_ = false;
  report_again();
}

void standby_reporter::leave(std::function<void()> then) {
  if (!standing_by_) return then();
  stand_by(false);
  report("ended", once_within(loop_, goodbye_patience_ms, std::move(then)));
}

void standby_reporter::report_again() {
  report("standby");
  if (!compared_ || settings_.qmgr_count > 1) compare_versions();
  timer_ = loop_.after(interval_ms(), [this] { report_again(); });
}

// Who may be given the lock back has to show that it is well.
std::int64_t standby_reporter::interval_ms() const {
  if (!settings_.fail_back) return settings_.standby_publish_ms;
  return std::min(fail_back::report_interval_ms(settings_.fail_back_delay_ms), settings_.standby_publish_ms);
}

// At the lowest priority, so that every request overtakes it, and with a short life: it says nothing that the next one
// does not say.
void standby_reporter::report(const char* role, std::function<void()> settled) {
  formats::instance_status now;
  now.name = settings_.instance;
  now.role = role;
  now.host = host_name();
  now.version = BATON_VERSION;
  now.pid = getpid();
  now.priority = settings_.instance_priority;
  now.format = formats::state_format;
  now.epoch = to_.claimed();
  now.since_ms = since_ms_;
  amqp::message m;
  m.durable = false;
  m.priority = 0;
  m.ttl_ms = static_cast<std::uint32_t>(settings_.standby_expiry_ms);
  m.subject = formats::subject::standby_status;
  m.body = to_json(now);
  to_.send(formats::command_queue(settings_.name), std::move(m), std::move(settled));
}

// Whatever goes wrong here is not this instance's fault: it stands by, and asks again with its next status.
void standby_reporter::compare_versions() {
  pool_.submit([this, where = to_.qmgr(), queue = formats::command_queue(settings_.name),
                alive = std::weak_ptr<bool>(alive_)]() -> std::function<void()> {
    auto peer = amqp::requester::connect(where, answer_timeout_ms);
    if (!peer) return nullptr;
    amqp::message question;
    question.durable = false;
    question.ttl_ms = static_cast<std::uint32_t>(answer_timeout_ms);
    question.subject = formats::subject::agent_ping;
    const auto answer = (*peer)->request(queue, std::move(question), answer_timeout_ms);
    const auto about = answer ? formats::read_reply(answer->body) : result<formats::reply>(answer.error());
    if (!about) return nullptr;
    return [this, about = *about, alive] {
      if (alive.expired()) return;
      to_.epoch(std::strtoull(about.detail("epoch", "0").c_str(), nullptr, 10));
      compared(about.detail("instance"), about.detail("version"), std::atoi(about.detail("format").c_str()));
    };
  });
}

void standby_reporter::compared(const std::string& instance, const std::string& version, int format) {
  compared_ = true;
  if (format > formats::state_format) {
    log(messages::BFGAG0917E, instance, version, format, BATON_VERSION, formats::state_format);
    return to_.incompatible();
  }
  if (version != BATON_VERSION) log(messages::BFGAG0918W, instance, version, settings_.instance, BATON_VERSION);
}

}  // namespace baton::agent
