#include "agent/status_reporter.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <utility>

namespace baton::agent {
namespace {

std::string zone_name() {
  const time_t now = time(nullptr);
  tm local{};
  localtime_r(&now, &local);
  char zone[32];
  strftime(zone, sizeof zone, "%Z", &local);
  return zone;
}

}  // namespace

status_reporter::status_reporter(event_loop& loop, const settings& s, std::function<void(formats::agent_status&)> fill,
                                 std::function<void(const formats::agent_status&)> publish)
    : loop_(loop), settings_(s), fill_(std::move(fill)), publish_(std::move(publish)) {
  active_ = !s.highly_available;
  utsname about{};
  uname(&about);
  const char* restarts = std::getenv("BATON_RESTARTS");  // set by the controller
  fixed_.agent = s.name;
  fixed_.description = s.description;
  fixed_.qmgr = s.qmgr;
  fixed_.transport = s.bindings ? "bindings" : "client";
  fixed_.version = BATON_VERSION;
  fixed_.host = about.nodename;
  fixed_.os = std::string(about.sysname) + " " + about.release;
  fixed_.time_zone = zone_name();
  fixed_.instance = s.instance;
  fixed_.preferred_instances = fmt::format("{}", fmt::join(s.preferred, ", "));
  fixed_.fail_back_ms = s.fail_back ? s.fail_back_delay_ms : -1;
  fixed_.pid = getpid();
  fixed_.start_time_ms = wall_time_ms();
  fixed_.restarts = restarts != nullptr ? std::atoi(restarts) : 0;
}

status_reporter::~status_reporter() {
  loop_.cancel(change_timer_);
  loop_.cancel(interval_timer_);
}

void status_reporter::set_state(std::string state) {
  if (state == state_) return;
  state_ = std::move(state);
  publish_now();
}

void status_reporter::publish_as_active(bool yes) {
  if (std::exchange(active_, yes) == yes) return;
  if (yes) publish_now();
}

void status_reporter::set_qmgr(const std::string& host, int port) {
  fixed_.qmgr_host = host;
  fixed_.qmgr_port = port;
}

void status_reporter::transfers_changed() {
  if (change_timer_ != 0) return;
  const std::int64_t due = published_at_ms_ + settings_.status_rate_limit_ms - boot_time_ms();
  change_timer_ = loop_.after(std::max<std::int64_t>(due, 0), [this] { publish_now(); });
}

formats::agent_status status_reporter::current() const {
  formats::agent_status now = fixed_;
  now.status = state_;
  now.publish_time_ms = wall_time_ms();
  now.publish_interval_ms = settings_.status_rate_min_ms;
  now.jitter_ms = settings_.status_jitter_ms;
  now.max_source_transfers = settings_.max_source_transfers;
  now.max_destination_transfers = settings_.max_destination_transfers;
  now.max_queued_transfers = settings_.max_queued_transfers;
  fill_(now);
  const bool busy = !now.source_transfers.empty() || !now.destination_transfers.empty();
  if (state_ == "READY" && busy) now.status = "ACTIVE";
  return now;
}

void status_reporter::publish_now() {
  loop_.cancel(change_timer_);
  loop_.cancel(interval_timer_);
  change_timer_ = 0;
  published_at_ms_ = boot_time_ms();
  if (active_) publish_(current());
  interval_timer_ = loop_.after(settings_.status_rate_min_ms, [this] { publish_now(); });
}

}  // namespace baton::agent
