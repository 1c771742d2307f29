#include "agent/publisher.hpp"

#include <algorithm>
#include <utility>

#include "common/formats/queues.hpp"
#include "common/log.hpp"
#include "common/random.hpp"

namespace baton::agent {
namespace {

constexpr logger log{"Publisher"};
// While the coordination queue manager is away.
constexpr std::size_t waiting_max = 10000, waiting_bytes_max = 16 << 20;
constexpr std::size_t unsettled_max = 100;
constexpr std::int64_t retry_ms_first = 500, retry_ms_max = 30000;
constexpr std::int64_t first_answers_ms = 2000;

}  // namespace

publisher::publisher(event_loop& loop, worker_pool& pool, locator where, options how)
    : loop_(loop), pool_(pool), where_(std::move(where)), how_(how), choice_(choice_of(1)) {}

amqp::qmgr_choice publisher::choice_of(std::size_t count) const {
  return amqp::qmgr_choice({.count = count,
                            .randomize = how_.randomize,
                            .first_wait_ms = retry_ms_first,
                            .longest_wait_ms = retry_ms_max,
                            .seed = std::hash<std::string>{}(random_hex(8))});
}

publisher::~publisher() {
  loop_.cancel(idle_timer_);
}

void publisher::connect() {
  pool_.submit([this, where = where_, alive = std::weak_ptr<bool>(alive_)]() -> std::function<void()> {
    auto found = where();
    return [this, found, alive] {
      if (alive.expired() || closed_) return;
      if (!found) return retry(found.error());
      if (std::exchange(count_, found->size()) != found->size()) choice_ = choice_of(count_);
      first_ = found->front();
      const auto& one = found->at(std::min(choice_.current(), found->size() - 1));
      connection_ = std::make_unique<amqp::connection>(loop_, one, *this);
      link_ = connection_->open_sender(formats::publication_queue);
    };
  });
}

// A queue manager of the list that is up again after another one was lost goes without saying.
void publisher::retry(const error& why) {
  if (closed_) return;
  lost();
  const std::int64_t delay = choice_.failed();
  if (delay > 0 && !std::exchange(told_, true)) log(messages::BFGMQ1024I, why.text);
  again_after(delay);
}

void publisher::lost() {
  way_ = way::away;
  loop_.cancel(idle_timer_);
  connection_.reset();
  for (auto entry = unsettled_.rbegin(); entry != unsettled_.rend(); ++entry) {
    waiting_bytes_ += entry->second.content.body.size();
    waiting_.push_front(std::move(entry->second));
  }
  unsettled_.clear();
  for (auto& one : waiting_) {
    if (one.told) loop_.post(std::exchange(one.told, nullptr));
  }
}

void publisher::again_after(std::int64_t delay_ms) {
  loop_.after(delay_ms, [this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired() && !closed_) connect();
  });
}

void publisher::look_for_first() {
  loop_.after(how_.look_ms, [this, alive = std::weak_ptr<bool>(alive_)] {
    if (alive.expired() || !may_go_back()) return;
    probe_ =
        std::make_unique<amqp::probe>(loop_, first_, first_answers_ms, [this](const status& up) { go_back(up.ok()); });
  });
}

bool publisher::may_go_back() const {
  return !closed_ && way_ == way::open && choice_.away();
}

// What is on its way then is sent again: receivers know a repetition.
void publisher::go_back(bool up) {
  if (!may_go_back()) return;
  if (!up) return look_for_first();
  connection_->close();
  lost();
  choice_.begin_again();
  again_after(0);
}

void publisher::publish(amqp::message content, std::function<void()> told) {
  publication made{std::move(content), std::move(told)};
  if (way_ == way::away) tell(made);
  if (closed_ || (!made.content.durable && way_ == way::away)) return;
  waiting_bytes_ += made.content.body.size();
  waiting_.push_back(std::move(made));
  while (waiting_.size() > waiting_max || (waiting_bytes_ > waiting_bytes_max && waiting_.size() > 1)) {
    tell(waiting_.front());
    take_first();
    ++dropped_;
  }
  if (way_ == way::idle) {
    way_ = way::opening;
    connect();
  }
  pump();
}

publisher::publication publisher::take_first() {
  publication first = std::move(waiting_.front());
  waiting_.pop_front();
  waiting_bytes_ -= first.content.body.size();
  return first;
}

void publisher::tell(publication& of) {
  if (const auto told = std::exchange(of.told, nullptr)) told();
}

void publisher::pump() {
  while (way_ == way::open && !waiting_.empty() && unsettled_.size() < unsettled_max) {
    publication first = take_first();
    const amqp::send_id id = connection_->send(link_, first.content);
    unsettled_.emplace(id, std::move(first));
  }
  watch_idle();
}

// Who waits to go back to the first queue manager of the list keeps its connection until it has.
void publisher::watch_idle() {
  loop_.cancel(idle_timer_);
  if (way_ != way::open || !waiting_.empty() || !unsettled_.empty()) return;
  idle_timer_ = loop_.after(how_.idle_ms, [this] { how_.goes_back&& choice_.away() ? watch_idle() : rest(); });
}

void publisher::rest() {
  connection_->close();
  connection_.reset();
  way_ = way::idle;
}

void publisher::link_opened(amqp::link_id, const std::string&) {
  way_ = way::open;
  choice_.connected();
  if (how_.goes_back && choice_.away()) look_for_first();
  if (told_) log(messages::BFGAG0905I);
  if (dropped_ > 0) log(messages::BFGAG0924W, std::exchange(dropped_, 0));
  told_ = false;
  pump();
}

void publisher::link_lost(amqp::link_id, const error& why) {
  connection_->close();
  connection_lost(why);
}

// The connection is not destroyed here: this is called from inside it.
void publisher::connection_lost(const error& why) {
  loop_.cancel(idle_timer_);
  loop_.post([this, why, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) retry(why);
  });
}

void publisher::sent(amqp::send_id id, amqp::outcome) {
  // What the queue manager refuses is not worth a second try.
  if (auto answered = unsettled_.extract(id)) tell(answered.mapped());
  pump();
}

void publisher::close() {
  closed_ = true;
  loop_.cancel(idle_timer_);
  if (connection_) connection_->close();
}

}  // namespace baton::agent
