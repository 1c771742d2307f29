#include "agent/queue/queue_source.hpp"

#include <algorithm>
#include <utility>

#include "common/log.hpp"
#include "common/messages/message.hpp"
#include "common/text.hpp"

namespace baton::queue {
namespace {

constexpr logger log{"Queue"};
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
  intake_ = looking(std::move(identities));
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
  const std::uint64_t waiting = candidates_.size();
  const std::uint64_t room = std::min(left(credit_max, credit_ + unwritten_), left(intake_.room(), waiting + credit_));
  if (room == 0) return;
  credit_ += room;
  from_->add_credit(static_cast<std::uint32_t>(room));
}

void queue_source::make_spool() {
  if (spool_) spool_->stop();
  const auto written = [this](std::uint64_t messages) {
    unwritten_ -= messages;
    if (phase_ == phase::collecting || phase_ == phase::looking) grant();
  };
  const auto waits = [this](const std::string& why) { log(messages::BFGTR0038W, options_.transfer_id, why); };
  spool_ = std::make_shared<spool>(loop_, pool_, options_.file, options_.checksum, spool::handlers{written, waits});
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
  if (options_.group && phase_ == phase::collecting) return consider(delivery, std::move(content));
  const intake::verdict found = intake_.on_message(identity_of(content.id, content.body), content.body.size());
  switch (found) {
    case intake::verdict::take:
    case intake::verdict::last:
      more_ = found == intake::verdict::last && phase_ == phase::collecting;
      if (options_.group)
        members_[intake_.place()] = {delivery, {}, spool_ ? std::move(content.body) : std::string()};
      else
        add(delivery, content.body);
      return found == intake::verdict::last ? complete() : grant();
    case intake::verdict::full:
      more_ = true;
      return complete();
    case intake::verdict::alien:
      if (++aliens_ < (options_.group ? options_.limits.messages_max : aliens_max)) grant();
  }
}

void queue_source::add(amqp::delivery_id delivery, std::string_view body) {
  held_.push_back(delivery);
  if (!spool_) return;
  ++unwritten_;
  spool_->add(options_.before, body, options_.behind);
}

// Whether it completes a group is known by all that came before it, so all are held until then; what is of no group or
// another one goes back when the turn is over.
void queue_source::consider(amqp::delivery_id delivery, amqp::message&& content) {
  const auto& most = options_.limits;
  if (!candidates_.empty() && candidate_bytes_ + content.body.size() > most.bytes_max) return complete();
  const auto last = content.properties.find(last_in_group_property);
  const auto group = groups_.add(
      {content.group_id, content.group_sequence, last != content.properties.end() && last->second == "true"});
  candidate_bytes_ += content.body.size();
  candidates_.push_back({delivery, identity_of(content.id, content.body), std::move(content.body)});
  for (const std::size_t number : group) {
    candidate& one = candidates_[number];
    (void)intake_.on_message(one.identity, one.body.size());
    members_[intake_.place()] = std::move(one);
  }
  !group.empty() || candidates_.size() >= most.messages_max ? complete() : grant();
}

void queue_source::write_group() {
  for (auto& [place, one] : std::exchange(members_, {})) add(one.delivery, one.body);
}

// Nothing more came: that was all.
void queue_source::silent() {
  if (phase_ == phase::collecting || phase_ == phase::looking) complete();
}

void queue_source::complete() {
  loop_.cancel(silence_);
  if (phase_ == phase::collecting && intake_.count() == 0) {
    if (options_.group && !candidates_.empty()) {
      return fail(render(messages::BFGTR0058E, candidates_.size(), from_->options().queue));
    }
    return fail(render(messages::BFGTR0050E, from_->options().queue));
  }
  if (phase_ == phase::looking && intake_.held() < intake_.count() && !taken_) {
    return fail(render(messages::BFGTR0051E, intake_.count() - intake_.held(), from_->options().queue));
  }
  const bool looked_for = std::exchange(phase_, phase::closing) == phase::looking;
  write_group();
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
  groups_ = {};
  candidates_.clear();
  candidate_bytes_ = 0;
  members_.clear();
  aliens_ = 0;
  if (phase_ == phase::over) return;
  if (collects_) {  // the list is not in anybody's hands yet
    phase_ = phase::collecting;
    intake_ = intake(options_.limits);
    more_ = false;
    return;
  }
  phase_ = phase::looking;
  intake_ = looking(intake_.identities());
}

intake queue_source::looking(std::string identities) const {
  const auto how = options_.group ? intake::order::any : intake::order::of_queue;
  return {options_.limits, std::move(identities), how};
}

void queue_source::fail(std::string text, bool overtaken) {
  const auto failed = to_.failed;
  stop();
  if (failed) failed(text, overtaken);
}

}  // namespace baton::queue
