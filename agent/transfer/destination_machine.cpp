#include "agent/transfer/destination_machine.hpp"

namespace baton::transfer {
namespace {

constexpr int damaged_in_a_row_max = 5;  // frames, before the source is told no more

}  // namespace

std::string_view to_string(destination_state state) {
  switch (state) {
    case destination_state::new_transfer:
      return "NewReceiverTransfer";
    case destination_state::running:
      return "RunningTransfer";
    case destination_state::recovering:
      return "RecoveringTransfer";
    case destination_state::restarting:
      return "RestartingTransfer";
    case destination_state::completed:
      return "CompletedTransfer";
  }
  return "CompletedTransfer";
}

std::vector<destination_output> destination_machine::step(const destination_input& event, std::int64_t now_ms) {
  now_ = now_ms;
  actions out;
  if (state_ == destination_state::completed) return out;
  std::visit([&](const auto& e) { on(e, out); }, event);
  return out;
}

void destination_machine::on(const destination_event::adopted&, actions& out) {
  if (state_ != destination_state::new_transfer) return;
  state_ = destination_state::recovering;
  writing_ = true;
  silent_at_ = now_ + limits_.silence_ms;
  wake(out);
  out.push_back(destination_action::adopt_part{});
}

void destination_machine::on(const destination_event::part_found&, actions& out) {
  writing_ = false;
  if (close_wanted_) return close(out);
  if (restart_wanted_) restart(out);
}

void destination_machine::on(const destination_event::negotiated& e, actions& out) {
  if (e.attempt < attempt_) return;
  attempt_ = e.attempt;
  silent_at_ = now_ + limits_.silence_ms;
  acknowledge_at_ = 0;
  wake(out);
  if (state_ != destination_state::new_transfer) state_ = destination_state::restarting;
  // A frame that is being written cannot be taken back: the answer, which names a position, waits for it.
  restart_wanted_ = true;
  if (!writing_) restart(out);
}

void destination_machine::restart(actions& out) {
  restart_wanted_ = false;
  next_sequence_ = 1;
  queued_ = written_ = acknowledged_ = 0;
  state_ = destination_state::running;
  out.push_back(destination_action::rewind{});
  out.push_back(destination_action::answer{attempt_});
}

void destination_machine::on(const destination_event::frame& e, actions& out) {
  if (state_ != destination_state::running || restart_wanted_ || next_sequence_ == 0) return;
  // A gap means that data was lost on the way: nothing behind it is taken, and the source asks again when no more
  // acknowledgements come.
  if (e.attempt != attempt_ || e.sequence != next_sequence_) return;
  ++next_sequence_;
  ++queued_;
  silent_at_ = now_ + limits_.silence_ms;
  wake(out);
  out.push_back(destination_action::queue_frame{});
  write_next(out);
}

void destination_machine::on(const destination_event::written& e, actions& out) {
  writing_ = false;
  if (close_wanted_) return close(out);
  if (restart_wanted_) return restart(out);
  if (e.attempt != attempt_) return;
  damaged_in_a_row_ = e.halted == trouble::damaged ? damaged_in_a_row_ + 1 : 0;
  if (e.halted != trouble::none) {
    next_sequence_ = 0;  // nothing more is taken in this attempt
    queued_ = 0;
    acknowledge_at_ = 0;  // what it is told now says more
    // What sending again does not mend is left to the source's patience.
    if (damaged_in_a_row_ <= damaged_in_a_row_max) out.push_back(destination_action::halt{});
    return;
  }
  written_ = e.sequence;
  if (written_ - acknowledged_ >= e.ack_every) {
    acknowledge(out);
  } else if (acknowledge_at_ == 0) {
    acknowledge_at_ = now_ + limits_.ack_delay_ms;
    wake(out);
  }
  write_next(out);
}

void destination_machine::acknowledge(actions& out) {
  acknowledge_at_ = 0;
  acknowledged_ = written_;
  if (state_ == destination_state::running) out.push_back(destination_action::acknowledge{written_});
}

void destination_machine::wake(actions& out) const {
  const bool sooner = acknowledge_at_ != 0 && acknowledge_at_ < silent_at_;
  out.push_back(destination_action::wake_at{sooner ? acknowledge_at_ : silent_at_});
}

void destination_machine::on(const destination_event::finished&, actions& out) {
  if (writing_)
    close_wanted_ = true;
  else
    close(out);
}

void destination_machine::on(const destination_event::tick&, actions& out) {
  if (acknowledge_at_ != 0 && now_ >= acknowledge_at_) acknowledge(out);
  if (now_ >= silent_at_ && !writing_) return close(out);
  if (writing_) silent_at_ = now_ + limits_.silence_ms;
  wake(out);
}

void destination_machine::write_next(actions& out) {
  if (writing_ || queued_ == 0) return;
  --queued_;
  writing_ = true;
  out.push_back(destination_action::write_frame{queued_ > 0});
}

void destination_machine::close(actions& out) {
  state_ = destination_state::completed;
  out.push_back(destination_action::close{});
}

}  // namespace baton::transfer
