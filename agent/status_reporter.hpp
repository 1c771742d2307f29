// Publishes the agent's status: at once when the agent's own state changes, at most every agentStatusPublishRateLimit
// when only its transfers do, and at least every agentStatusPublishRateMin. Loop thread.
#pragma once

#include <functional>
#include <string>

#include "agent/settings.hpp"
#include "common/formats/publications.hpp"
#include "common/loop.hpp"

namespace baton::agent {

class status_reporter {
 public:
  // `fill` adds what changes: transfers and their states. `publish` sends it.
  status_reporter(event_loop& loop, const settings& s, std::function<void(formats::agent_status&)> fill,
                  std::function<void(const formats::agent_status&)> publish);
  ~status_reporter();

  // STARTING, READY, STOPPING, STOPPED; READY is shown as ACTIVE while there are transfers.
  void set_state(std::string state);
  // An instance that is not the active one publishes nothing: the active one does it for all.
  void publish_as_active(bool yes);
  void instances_changed() { publish_now(); }
  void set_qmgr(const std::string& host, int port);
  void transfers_changed();
  formats::agent_status current() const;

 private:
  void publish_now();

  event_loop& loop_;
  const settings& settings_;
  const std::function<void(formats::agent_status&)> fill_;
  const std::function<void(const formats::agent_status&)> publish_;
  formats::agent_status fixed_;
  std::string state_ = "STARTING";
  bool active_ = true;
  std::int64_t published_at_ms_ = 0;
  event_loop::timer_id change_timer_ = 0, interval_timer_ = 0;
};

}  // namespace baton::agent
