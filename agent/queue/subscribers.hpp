// The subscriptions of an agent: tasks on one queue share one. Loop thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "agent/queue/subscriber.hpp"
#include "common/formats/queues.hpp"

namespace baton::queue {

class subscribers {
 public:
  // `common`: what all have in common.
  subscribers(event_loop& loop, worker_pool& pool, subscriber::locator where, subscriber_options common)
      : loop_(loop), pool_(pool), where_(std::move(where)), common_(std::move(common)) {}

  // The one for this queue, which ends with its last user.
  std::shared_ptr<subscriber> of(const std::string& queue, bool exclusive) {
    auto& known = known_[{queue, exclusive}];
    if (auto found = known.lock()) return found;
    subscriber_options options = common_;
    options.queue = queue;
    options.exclusive = exclusive;
    options.journal_queue = formats::queue_journal_queue(queue);
    auto made = std::make_shared<subscriber>(loop_, pool_, where_, std::move(options));
    known = made;
    return made;
  }

 private:
  event_loop& loop_;
  worker_pool& pool_;
  const subscriber::locator where_;
  const subscriber_options common_;
  std::map<std::pair<std::string, bool>, std::weak_ptr<subscriber>> known_;
};

}  // namespace baton::queue
