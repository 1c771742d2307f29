#include "agent/channel/direct_channel.hpp"

#include <utility>

#include "agent/channel/runtime.hpp"

namespace baton::channel {
namespace {
constexpr int told_together = 64;  // far below what a session hands over before it waits
}

struct direct_channel::receiver {
  event_loop& loop;
  handlers to;       // of the loop's thread
  int consumed = 0;  // and not told to the session
};

direct_channel::direct_channel(event_loop& loop, std::shared_ptr<runtime> thread, std::shared_ptr<session> one)
    : thread_(std::move(thread)), session_(std::move(one)), receiver_(std::make_shared<receiver>(receiver{loop, {}})) {}

direct_channel::~direct_channel() {
  receiver_->to = {};
  thread_->post([one = session_] { one->close(""); });
}

void direct_channel::begin(handlers to) {
  receiver_->to = std::move(to);
  session::handlers relay;
  relay.received = [at = receiver_, thread = thread_.get(), one = session_.get()](kind what, const held_bytes& body) {
    at->loop.post([at, thread, one = one->shared_from_this(), what, body] {
      if (!at->to.received) return;
      const auto keep = at->to;  // the call may end this channel
      keep.received(what, body);
      if (!at->to.received || ++at->consumed < told_together) return;
      thread->post([one, count = std::exchange(at->consumed, 0)] { one->consumed(count); });
    });
  };
  relay.closed = [at = receiver_](const std::string& why) {
    at->loop.post([at, why] {
      if (const auto gone = std::exchange(at->to, {}); gone.closed) gone.closed(why);
    });
  };
  thread_->post([one = session_, relay] { one->begin(relay); });
}

void direct_channel::send(kind what, held_bytes body) {
  thread_->post([one = session_, what, body = std::move(body)] { one->send(what, body); });
}

const std::string& direct_channel::peer() const {
  return session_->peer();
}

}  // namespace baton::channel
