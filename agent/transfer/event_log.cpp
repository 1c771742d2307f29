#include "agent/transfer/event_log.hpp"

namespace baton::transfer {

event_log::~event_log() {
  agent_.loop().cancel(patience_);
}

void event_log::publish(const formats::log_event& event) {
  const std::uint64_t number = ++last_;
  under_way_.insert(number);
  agent_.publish(event, [this, number, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) told(number);
  });
}

void event_log::when_told(std::function<void()> then) {
  if (under_way_.empty() && waiting_.empty()) return then();
  waiting_.emplace_back(last_, std::move(then));
  if (patience_ != 0) return;
  patience_ = agent_.loop().after(log_patience_ms, [this] {
    patience_ = 0;
    under_way_.clear();
    release();
  });
}

void event_log::told(std::uint64_t number) {
  under_way_.erase(number);
  release();
}

void event_log::release() {
  const std::weak_ptr<bool> alive = alive_;  // a call may end this object
  while (!waiting_.empty() && (under_way_.empty() || *under_way_.begin() > waiting_.front().first)) {
    const auto then = std::move(waiting_.front().second);
    waiting_.pop_front();
    then();
    if (alive.expired()) return;
  }
  if (!waiting_.empty() || patience_ == 0) return;
  agent_.loop().cancel(patience_);
  patience_ = 0;
}

}  // namespace baton::transfer
