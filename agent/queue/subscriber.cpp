#include "agent/queue/subscriber.hpp"

#include <algorithm>
#include <utility>

#include "common/amqp/dialect.hpp"
#include "common/backoff.hpp"
#include "common/formats/state.hpp"
#include "common/log.hpp"
#include "common/messages/message.hpp"
#include "common/random.hpp"

namespace baton::queue {
namespace {
constexpr logger log{"Queue"};
constexpr std::int64_t again_first_ms = 100, declare_timeout_ms = 5000;
// The AMQP library sends the beginning of a link before the end of one that was closed just before.
constexpr int own_end_attempts = 50;
constexpr std::int64_t own_end_wait_ms = 20;
}  // namespace

subscriber::subscriber(event_loop& loop, worker_pool& pool, locator where, subscriber_options options)
    : loop_(loop), pool_(pool), where_(std::move(where)), options_(std::move(options)) {
  if (options_.exclusive) journal_.emplace(options_.journal_queue, options_.agent, random_hex(8));
}

subscriber::~subscriber() {
  loop_.cancel(timer_);
  loop_.cancel(certain_timer_);
  *alive_ = false;
}

int subscriber::join(task one) {
  tasks_.emplace_back(++last_task_, std::move(one));
  if (tasks_.size() == 1) serve();
  return last_task_;
}

void subscriber::leave(int who) {
  const auto found = std::find_if(tasks_.begin(), tasks_.end(), [who](const auto& one) { return one.first == who; });
  if (found == tasks_.end()) return;
  const bool was_served = found == tasks_.begin();
  tasks_.erase(found);
  if (tasks_.empty()) return drop();
  if (!was_served) return;
  // The end of its link gives back what it held.
  if (link_ != 0) {
    connection_->close_link(std::exchange(link_, 0));
    if (journal_) journal_->close();
    own_end_ = own_end_attempts;
  }
  attached_ = false;
  forget_settlements();
  serve();
}

// A caller may be in the middle of something: nothing is told before it returns.
void subscriber::serve() {
  try_again_in(0);
}

void subscriber::attach() {
  if (tasks_.empty() || link_ != 0) return;
  if (!connection_) {
    const auto where = where_();
    const amqp::dialect& speech = amqp::dialect_of(where.peer.kind);
    can_drain_ = speech.can_drain();
    settlement_lag_ms_ = speech.settlement_lag_ms();
    connection_ = std::make_unique<amqp::connection>(loop_, where, *this);
  }
  if (marks_ == 0) marks_ = connection_->open_sender(options_.mark_queue);
  amqp::receiver_options wanted;
  wanted.address = options_.queue;
  wanted.credit = 0;
  wanted.exclusive = options_.exclusive;
  link_ = connection_->open_receiver(wanted);
}

void subscriber::drop() {
  loop_.cancel(timer_);
  connection_.reset();
  if (journal_) journal_->forget();
  link_ = marks_ = 0;
  attached_ = false;
  forget_settlements();
}

void subscriber::try_again_in(std::int64_t delay_ms) {
  loop_.cancel(timer_);
  timer_ = loop_.after(delay_ms, [this] { attach(); });
}

void subscriber::settle(const std::vector<amqp::delivery_id>& deliveries, std::function<void()> then) {
  for (const auto delivery : deliveries) connection_->settle(delivery, amqp::outcome::accepted);
  amqp::message mark;
  mark.subject = formats::subject::queue_mark;
  certain_[connection_->send(marks_, std::move(mark))] = std::move(then);
}

void subscriber::announce(const std::string& transfer_id, const std::string& first, std::function<void()> then) {
  journal_ ? journal_->write(transfer_id, first, std::move(then)) : then();
}

void subscriber::sent(amqp::send_id id, amqp::outcome how) {
  const auto noted = journal_ ? journal_->sent(id, how) : std::nullopt;
  if (noted == true) return;
  const auto known = certain_.extract(id);
  if (!known && !noted) return;
  if (known && how == amqp::outcome::accepted) return settled(std::move(known.mapped()));
  drop();  // what is not certain is looked for again
  tell_lost();
  try_again_in(options_.retry_ms);
}

// When the connection is lost before the time is over, nothing is certain.
void subscriber::settled(std::function<void()> then) {
  if (settlement_lag_ms_ == 0) return then();
  certain_timer_ = loop_.after(settlement_lag_ms_, std::move(then));
}

void subscriber::forget_settlements() {
  certain_.clear();
  loop_.cancel(certain_timer_);
}

void subscriber::connection_lost(const error& why) {
  drop();
  if (std::exchange(told_, why.text) != why.text) log(messages::BFGTR0047W, options_.queue, why.text);
  try_again_in(doubled_wait_ms(again_first_ms, failures_++, options_.retry_ms));
  tell_lost();
}

// By the first reader of the queue. Where agents may not make queues it is done without.
void subscriber::make_journal() {
  drop();
  pool_.submit([this, alive = alive_, where = where_(), queue = options_.journal_queue]() -> std::function<void()> {
    const auto made = amqp::dialect_of(where.peer.kind).declare(where, {{queue}}, declare_timeout_ms);
    return [this, alive, made, queue] {
      if (!*alive) return;
      if (!made) log(messages::BFGTR0056W, options_.queue, queue, made.error().text);
      if (!made && made.error().code == errc::not_permitted) journal_.reset();
      try_again_in(made || !journal_ ? 0 : options_.retry_ms);
    };
  });
}

void subscriber::tell_lost() {
  if (tasks_.empty()) return;
  const auto keep = tasks_.front().second.lost;  // the call may end the task
  keep();
}

void subscriber::link_opened(amqp::link_id link, const std::string&) {
  if (link != link_ || tasks_.empty()) return;
  if (!journal_) return begin();
  journal_->open(*connection_, [this] { begin(); });
}

// The queue is this agent's, and what other readers left is known.
void subscriber::begin() {
  if (tasks_.empty() || link_ == 0) return;
  attached_ = true;
  failures_ = own_end_ = 0;
  told_.clear();
  if (std::exchange(told_excluded_, false)) log(messages::BFGTR0046I, options_.queue);
  const auto begun = tasks_.front().second.begun;
  begun();
}

void subscriber::link_lost(amqp::link_id link, const error& why) {
  if (journal_ && journal_->has(link) && why.code == errc::not_found) return make_journal();
  if (link == marks_ || (journal_ && journal_->has(link))) return connection_lost(why);
  if (link != link_) return;
  link_ = 0;
  if (journal_) journal_->close();  // who has the queue next has to find what it holds
  if (std::exchange(attached_, false)) tell_lost();
  if (tasks_.empty()) return;
  if (why.code == errc::in_use && own_end_ > 0) {
    --own_end_;
    return try_again_in(own_end_wait_ms);
  }
  if (why.code == errc::in_use) {
    if (!std::exchange(told_excluded_, true)) log(messages::BFGTR0045W, options_.queue, options_.sleep_ms, why.text);
    return try_again_in(options_.sleep_ms);
  }
  if (why.code == errc::not_found || why.code == errc::not_permitted) {
    const auto refused = tasks_.front().second.refused;
    return refused(why);
  }
  connection_lost(why);
}

void subscriber::received(amqp::link_id link, amqp::delivery_id delivery, amqp::message&& content) {
  if (journal_ && journal_->has(link)) return journal_->received(delivery, content);
  if (link != link_ || tasks_.empty()) return;
  const auto received = tasks_.front().second.received;
  received(delivery, std::move(content));
}

void subscriber::drained(amqp::link_id link) {
  if (link != link_ || tasks_.empty()) return;
  const auto drained = tasks_.front().second.drained;
  drained();
}

}  // namespace baton::queue
