#include "agent/queue/queue_source.hpp"

#include <algorithm>
#include <utility>

#include "common/messages/message.hpp"
#include "common/text.hpp"

namespace baton::queue {
namespace {

constexpr std::uint64_t credit_max = 1000;    // messages on their way to the spool
constexpr std::uint64_t aliens_max = 1000;    // others that are looked at while some are looked for
constexpr std::int64_t silence_min_ms = 500;  // far above a round trip: no message came, so there is none

}  // namespace

queue_source::queue_source(event_loop& loop, worker_pool& pool, std::shared_ptr<subscriber> from,
                           source_options options, handlers to)
    : loop_(loop),
      pool_(pool),
      from_(std::move(from)),
      options_(std::move(options)),
      to_(std::move(to)),
      intake_(options_.limits) {}

void queue_source::collect() {
  phase_ = phase::collecting;
  collects_ = true;
  join();
}

void queue_source::look_for(std::string identities, bool taken, bool make_file) {
  intake_ = intake(options_.limits, std::move(identities));
  taken_ = taken;
  make_file_ = make_file;
  phase_ = phase::looking;
  join();
}

void queue_source::take_off() {
  wanted_ = true;
  if (phase_ == phase::holding) proceed();
}

void queue_source::stop() {
  phase_ = phase::over;
  to_ = {};
  loop_.cancel(silence_);
  if (spool_) spool_->stop();
  if (task_ != 0) from_->leave(std::exchange(task_, 0));
}

void queue_source::join() {
  task_ = from_->join(
      {[this] { begun(); },
       [this](amqp::delivery_id delivery, amqp::message&& content) { received(delivery, std::move(content)); },
       [this] { lost(); },
       [this](const error& why) { fail(render(messages::BFGTR0048E, from_->options().queue, why.text)); }});
}

void queue_source::begun() {
  if (taken_ && from_->is_overtaken(options_.transfer_id)) {
    return fail(render(messages::BFGTR0051E, intake_.count(), from_->options().queue), true);
  }
  if (phase_ == phase::collecting || make_file_) make_spool();
  credit_ = unwritten_ = 0;
  grant();
  await_silence();
}

// As much as there is room for, in the spool's memory and among the messages that may be held.
void queue_source::grant() {
  const auto left = [](std::uint64_t most, std::uint64_t used) { return most - std::min(most, used); };
  const std::uint64_t room = std::min(left(credit_max, credit_ + unwritten_), left(intake_.room(), credit_));
  if (room == 0) return;
  credit_ += room;
  from_->add_credit(static_cast<std::uint32_t>(room));
}

void queue_source::make_spool() {
  if (spool_) spool_->stop();
  spool_ = std::make_shared<spool>(pool_, options_.file, options_.checksum, [this](std::uint64_t messages) {
    unwritten_ -= messages;
    if (phase_ == phase::collecting || phase_ == phase::looking) grant();
  });
}

void queue_source::await_silence() {
  loop_.cancel(silence_);
  const std::int64_t wait = phase_ == phase::looking ? 4 * silence_min_ms : options_.wait_ms;
  silence_ = loop_.after(std::max(wait, silence_min_ms), [this] { silent(); });
}

void queue_source::received(amqp::delivery_id delivery, amqp::message&& content) {
  if (phase_ != phase::collecting && phase_ != phase::looking) return;  // it goes back when the turn is over
  await_silence();
  --credit_;
  if (content.other || intake_.too_large(content.body.size())) {
    const std::string why = content.other
                                ? "its body is neither bytes nor text"
                                : std::to_string(content.body.size()) + " bytes, more than maxInputOutputMessageLength";
    if (phase_ == phase::collecting)
      fail(render(messages::BFGTR0049E, intake_.count() + 1, from_->options().queue, why));
    return;
  }
  switch (intake_.on_message(identity_of(content.id, content.body), content.body.size())) {
    case intake::verdict::take:
      return add(delivery, content);
    case intake::verdict::last:
      more_ = phase_ == phase::collecting;
      add(delivery, content);
      return complete();
    case intake::verdict::full:
      more_ = true;
      return complete();
    case intake::verdict::alien:
      if (++aliens_ < aliens_max) grant();
  }
}

void queue_source::add(amqp::delivery_id delivery, const amqp::message& content) {
  held_.push_back(delivery);
  if (!spool_) return grant();
  ++unwritten_;
  spool_->add(options_.before, content.body, options_.behind);
}

// Nothing more came: that was all.
void queue_source::silent() {
  if (phase_ == phase::collecting || phase_ == phase::looking) complete();
}

void queue_source::complete() {
  loop_.cancel(silence_);
  if (phase_ == phase::collecting && intake_.count() == 0) {
    return fail(render(messages::BFGTR0050E, from_->options().queue));
  }
  if (phase_ == phase::looking && intake_.held() < intake_.count() && !taken_) {
    return fail(render(messages::BFGTR0051E, intake_.count() - intake_.held(), from_->options().queue));
  }
  const bool looked_for = std::exchange(phase_, phase::closing) == phase::looking;
  if (!spool_) return looked();
  spool_->finish([weak = weak_from_this(), looked_for](const spooled& file) {
    const auto self = weak.lock();
    if (!self || self->phase_ != phase::closing) return;
    self->spool_.reset();
    self->make_file_ = false;
    if (!file.failure.empty()) return self->fail(render(messages::BFGIO0901E, self->options_.file, file.failure));
    if (looked_for) return self->looked();
    self->phase_ = phase::holding;
    self->told_found_ = true;
    self->collects_ = false;
    self->to_.collected({self->intake_.identities(), file, self->more_});
  });
}

void queue_source::looked() {
  phase_ = phase::holding;
  if (wanted_) return proceed();
  if (std::exchange(told_found_, true)) return;
  const auto found = to_.found;
  found();
}

// Other readers are told first, then the record says so, then they go: who finds none of them on the queue knows by
// these two who has them.
void queue_source::proceed() {
  phase_ = phase::taking;
  if (taken_) return settle();
  const std::string first = to_hex(intake_.identities().substr(0, intake::identity_bytes));
  from_->announce(options_.transfer_id, first, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->phase_ != phase::taking) return;
    self->to_.taking([weak] {
      const auto again = weak.lock();
      if (!again || again->phase_ == phase::over) return;
      again->taken_ = true;
      if (again->phase_ == phase::taking) again->settle();
    });
  });
}

void queue_source::settle() {
  from_->settle(held_, [this] {
    held_.clear();
    from_->leave(std::exchange(task_, 0));
    const auto taken = to_.taken;
    taken();
  });
}

// What was held is on the queue again.
void queue_source::lost() {
  loop_.cancel(silence_);
  held_.clear();
  aliens_ = 0;
  if (phase_ == phase::over) return;
  if (collects_) {  // the list is not in anybody's hands yet
    phase_ = phase::collecting;
    intake_ = intake(options_.limits);
    more_ = false;
    return;
  }
  phase_ = phase::looking;
  intake_ = intake(options_.limits, intake_.identities());
}

void queue_source::fail(std::string text, bool overtaken) {
  const auto failed = to_.failed;
  stop();
  if (failed) failed(text, overtaken);
}

}  // namespace baton::queue
