#include "common/amqp/qmgr_choice.hpp"

#include <algorithm>
#include <numeric>

#include "common/backoff.hpp"

namespace baton::amqp {

qmgr_choice::qmgr_choice(options o) : options_(o), random_(o.seed) {
  options_.count = std::max<std::size_t>(options_.count, 1);
  order_ = whole_list();
}

std::vector<std::size_t> qmgr_choice::whole_list() {
  std::vector<std::size_t> all(options_.count);
  std::iota(all.begin(), all.end(), 0);
  if (options_.randomize) std::shuffle(all.begin(), all.end(), random_);
  return all;
}

void qmgr_choice::begin_again() {
  order_ = whole_list();
  connected_ = second_try_ = false;
}

void qmgr_choice::connected() {
  connected_ = true;
  second_try_ = false;
  failures_ %= tries_of_round(static_cast<int>(options_.count));
}

std::int64_t qmgr_choice::failed() {
  const std::int64_t wait =
      round_wait_ms(options_.first_wait_ms, failures_++, options_.longest_wait_ms, static_cast<int>(options_.count));
  if (connected_) {
    const std::size_t lost = current();
    auto rest = whole_list();
    std::erase(rest, lost);
    order_ = {lost};
    order_.insert(order_.end(), rest.begin(), rest.end());
    second_try_ = options_.count > 1;
  } else {
    order_.erase(order_.begin());
    if (order_.empty()) order_ = whole_list();
    second_try_ = false;
  }
  connected_ = false;
  if (wait == 0) return 0;
  return wait - static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(wait / 10 + 1));
}

}  // namespace baton::amqp
