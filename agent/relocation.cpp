#include "agent/relocation.hpp"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "common/amqp/dialect.hpp"
#include "common/formats/queues.hpp"
#include "common/log.hpp"

namespace baton::agent {
namespace {
constexpr logger log{"Instance"};
constexpr std::int64_t answer_ms = 2000, declare_ms = 5000, copy_ms = 10000;
}  // namespace

// Brings messages to STATE at the first queue manager, and tells once whether all of them are on stable storage there.
class relocation::transport : public amqp::connection_events {
 public:
  transport(event_loop& loop, const amqp::connection_options& where, const std::string& queue,
            std::vector<amqp::message> all, std::function<void(bool)> done)
      : loop_(loop), done_(std::move(done)), connection_(loop, where, *this) {
    const auto link = connection_.open_sender(queue);
    for (auto& one : all) under_way_.insert(connection_.send(link, std::move(one)));
    timer_ = loop_.after(under_way_.empty() ? 0 : copy_ms, [this] { tell(under_way_.empty()); });
  }
  ~transport() override { loop_.cancel(timer_); }

 private:
  void connection_lost(const error&) override { tell(false); }
  void link_lost(amqp::link_id, const error&) override { tell(false); }
  void sent(amqp::send_id id, amqp::outcome how) override {
    if (how != amqp::outcome::accepted) return tell(false);
    under_way_.erase(id);
    if (under_way_.empty()) tell(true);
  }
  void tell(bool all) {
    if (const auto done = std::exchange(done_, nullptr)) loop_.post([done, all] { done(all); });
  }

  event_loop& loop_;
  std::function<void(bool)> done_;
  std::set<amqp::send_id> under_way_;
  event_loop::timer_id timer_ = 0;
  amqp::connection connection_;
};

relocation::relocation(event_loop& loop, worker_pool& pool, std::string agent, std::int64_t interval_ms, handlers to)
    : loop_(loop), pool_(pool), agent_(std::move(agent)), interval_ms_(interval_ms), to_(std::move(to)) {}

relocation::~relocation() {
  loop_.cancel(timer_);
}

void relocation::active(bool yes) {
  loop_.cancel(timer_);
  activation_ = std::make_shared<int>(*activation_ + 1);
  probe_.reset();
  loop_.post([gone = std::shared_ptr<transport>(std::move(transport_))] {});
  if (yes) look_later();
}

void relocation::look_later() {
  timer_ = loop_.after(interval_ms_, [this] { look(); });
}

void relocation::look() {
  if (!to_.wanted()) return look_later();
  probe_ = std::make_unique<amqp::probe>(loop_, to_.first(), answer_ms,
                                         [this](const status& up) { up ? prepare() : look_later(); });
}

// It must have the agent's queues too, before anything is given up here.
void relocation::prepare() {
  pool_.submit([this, first = to_.first(), queues = formats::agent_queues(agent_),
                now = std::weak_ptr<int>(activation_)]() -> std::function<void()> {
    const auto made = amqp::dialect_of(first.peer.kind).declare(first, queues, declare_ms);
    return [this, ok = made.ok(), now] {
      if (now.expired()) return;
      ok&& to_.wanted() ? go() : look_later();
    };
  });
}

void relocation::go() {
  log(messages::BFGAG0927I, fmt::format("{}:{}", to_.first().peer.host, to_.first().peer.port));
  to_.halt([this, now = std::weak_ptr<int>(activation_)] {
    if (!now.expired()) copy();
  });
}

void relocation::copy() {
  held_ = to_.held();
  transport_ = std::make_unique<transport>(loop_, to_.first(), formats::state_queue(agent_), to_.content(),
                                           [this, now = std::weak_ptr<int>(activation_)](bool all) {
                                             if (!now.expired()) arrived(all);
                                           });
}

// Exactly what was here before: where both queue managers are one, the copies are on the same queue.
void relocation::arrived(bool all) {
  loop_.post([gone = std::shared_ptr<transport>(std::move(transport_))] {});
  if (all) to_.settle(held_);
  if (!all) log(messages::BFGAG0928W, fmt::format("{}:{}", to_.first().peer.host, to_.first().peer.port));
  to_.leave(all);
}

}  // namespace baton::agent
