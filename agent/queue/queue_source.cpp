#include "agent/queue/queue_source.hpp"

#include <algorithm>
#include <utility>

#include "common/log.hpp"
#include "common/messages/message.hpp"
#include "common/text.hpp"

namespace baton::queue {
namespace {

constexpr logger log{"Queue"};
constexpr std::uint64_t credit_max = 1000;  // messages on their way to the spool
constexpr std::uint64_t aliens_max = 1000;  // others that are looked at while some are looked for
constexpr std::int64_t looking_ms = 2000;   // until messages that a dead reader held are on the queue again

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
  happen(event::collect{});
}

void queue_source::look_for(std::string identities, bool taken, bool make_file) {
  intake_ = looking(std::move(identities));
  happen(event::look_for{taken, make_file});
}

void queue_source::take_off() {
  happen(event::take_off{});
}

void queue_source::stop() {
  machine_.stop();
  to_ = {};
  loop_.cancel(silence_);
  if (spool_) spool_->stop();
  if (task_ != 0) from_->leave(std::exchange(task_, 0));
}

void queue_source::happen(const input& what) {
  for (const action next : machine_.step(what)) act(next);
}

// What tells somebody something is the last action: the call may end this object.
void queue_source::act(action what) {
  switch (what) {
    case action::join:
      return join();
    case action::collect_anew:
      forget();
      intake_ = intake(options_.limits);
      return;
    case action::look_anew:
      forget();
      intake_ = looking(intake_.identities());
      return;
    case action::make_file:
      return make_file();
    case action::receive:
      return receive();
    case action::write:
      return write();
    case action::tell_collected:
      return tell_collected();
    case action::tell_found:
      return std::function<void()>(to_.found)();
    case action::announce:
      return announce();
    case action::record:
      return record();
    case action::settle:
      return settle();
    case action::finish:
      return finish();
    case action::fail_empty:
      return fail(render(messages::BFGTR0050E, from_->options().queue));
    case action::fail_no_group:
      return fail(render(messages::BFGTR0058E, candidates_.size(), from_->options().queue));
    case action::fail_missing:
      return fail(render(messages::BFGTR0051E, intake_.count() - intake_.held(), from_->options().queue));
    case action::fail_overtaken:
      return fail(render(messages::BFGTR0051E, intake_.count(), from_->options().queue), true);
    case action::fail_unfit:
      return fail(render(messages::BFGTR0049E, intake_.count() + 1, from_->options().queue, trouble_));
    case action::fail_refused:
      return fail(render(messages::BFGTR0048E, from_->options().queue, trouble_));
    case action::fail_unwritten:
      return fail(render(messages::BFGIO0901E, options_.file, file_.failure));
  }
}

void queue_source::join() {
  task_ = from_->join(
      {[this] { begun(); },
       [this](amqp::delivery_id delivery, amqp::message&& content) { received(delivery, std::move(content)); },
       [this] { drained(); }, [this] { happen(event::lost{}); },
       [this](const error& why) {
         trouble_ = why.text;
         happen(event::refused{});
       }});
}

void queue_source::begun() {
  happen(event::begun{from_->is_overtaken(options_.transfer_id)});
}

void queue_source::make_file() {
  const auto written = [this](std::uint64_t messages) {
    unwritten_ -= messages;
    if (receives()) grant();
  };
  const auto waits = [this](const std::string& why) { log(messages::BFGTR0038W, options_.transfer_id, why); };
  spool_ = std::make_shared<spool>(loop_, pool_, options_.file, options_.checksum, spool::handlers{written, waits});
}

void queue_source::receive() {
  end_ = {from_->can_drain(), machine_.now() == state::looking ? looking_ms : options_.wait_ms};
  unwritten_ = 0;
  grant();
}

// As much as there is room for, in the spool's memory and among the messages that may be held.
void queue_source::grant() {
  if (end_.asking()) return;
  const auto left = [](std::uint64_t most, std::uint64_t used) { return most - std::min(most, used); };
  const std::uint64_t under_way = end_.credit();
  const std::uint64_t room =
      std::min(left(credit_max, under_way + unwritten_), left(intake_.room(), candidates_.size() + under_way));
  if (room > 0) from_->add_credit(static_cast<std::uint32_t>(room));
  end_.granted(room);
  await_silence();
}

void queue_source::received(amqp::delivery_id delivery, amqp::message&& content) {
  if (!receives()) return;  // it goes back when the turn is over
  end_.came();
  if (content.other) return unfit("its body is neither bytes nor text");
  if (intake_.too_large(content.body.size())) {
    return unfit(std::to_string(content.body.size()) + " bytes, more than maxInputOutputMessageLength");
  }
  if (options_.group && machine_.now() == state::collecting) return consider(delivery, std::move(content));
  const intake::verdict found = intake_.on_message(identity_of(content.id, content.body), content.body.size());
  switch (found) {
    case intake::verdict::take:
    case intake::verdict::last:
      more_ = found == intake::verdict::last && machine_.now() == state::collecting;
      if (options_.group)
        members_[intake_.place()] = {delivery, {}, spool_ ? std::move(content.body) : std::string()};
      else
        add(delivery, content.body);
      return found == intake::verdict::last ? enough() : grant();
    case intake::verdict::full:
      more_ = true;
      return enough();
    case intake::verdict::alien:
      return alien();
  }
}

void queue_source::unfit(const std::string& why) {
  if (machine_.now() == state::looking) return alien();
  trouble_ = why;
  happen(event::unfit{});
}

void queue_source::alien() {
  ++aliens_ < (options_.group ? options_.limits.messages_max : aliens_max) ? grant() : enough();
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
  if (!candidates_.empty() && candidate_bytes_ + content.body.size() > most.bytes_max) return enough();
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
  !group.empty() || candidates_.size() >= most.messages_max ? enough() : grant();
}

void queue_source::await_silence() {
  loop_.cancel(silence_);
  if (const auto wait = end_.silence_ms()) silence_ = loop_.after(*wait, [this] { act(end_.silent()); });
}

void queue_source::drained() {
  const auto verdict = end_.drained();
  if (receives()) act(verdict);
}

void queue_source::act(end_of_queue::verdict what) {
  switch (what) {
    case end_of_queue::verdict::empty:
      return enough();
    case end_of_queue::verdict::ask:
      return from_->drain();
    case end_of_queue::verdict::go_on:
      return grant();
  }
}

void queue_source::enough() {
  loop_.cancel(silence_);
  happen(event::enough{intake_.count(), intake_.held(), candidates_.size()});
}

void queue_source::write() {
  for (auto& [place, one] : std::exchange(members_, {})) add(one.delivery, one.body);
  if (!spool_) return happen(event::written{});
  spool_->finish([weak = weak_from_this()](const spooled& file) {
    const auto self = weak.lock();
    if (!self || self->machine_.now() != state::writing) return;
    self->spool_.reset();
    self->file_ = file;
    self->happen(event::written{!file.failure.empty()});
  });
}

void queue_source::tell_collected() {
  const auto tell = to_.collected;
  tell({intake_.identities(), file_, more_});
}

void queue_source::announce() {
  const std::string first = to_hex(intake_.identities().substr(0, intake::identity_bytes));
  from_->announce(options_.transfer_id, first, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->happen(event::announced{});
  });
}

void queue_source::record() {
  const auto taking = to_.taking;
  taking([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->happen(event::recorded{});
  });
}

void queue_source::settle() {
  from_->settle(held_, [this] { happen(event::settled{}); });
}

void queue_source::finish() {
  held_.clear();
  from_->leave(std::exchange(task_, 0));
  const auto taken = to_.taken;
  taken();
}

// What was held is on the queue again. The file is made anew; what is written of this one asks for more no longer, for
// there is nobody to ask.
void queue_source::forget() {
  loop_.cancel(silence_);
  if (spool_) std::exchange(spool_, nullptr)->stop();
  more_ = false;
  held_.clear();
  groups_ = {};
  candidates_.clear();
  candidate_bytes_ = 0;
  members_.clear();
  aliens_ = 0;
}

intake queue_source::looking(std::string identities) const {
  const auto how = options_.group ? intake::order::any : intake::order::of_queue;
  return {options_.limits, std::move(identities), how};
}

void queue_source::fail(const std::string& text, bool overtaken) {
  const auto failed = to_.failed;
  stop();
  if (failed) failed(text, overtaken);
}

}  // namespace baton::queue
