#include "agent/transfer/source_machine.hpp"

#include <algorithm>
#include <utility>

namespace baton::transfer {

std::string_view to_string(source_state state) {
  switch (state) {
    case source_state::new_transfer:
      return "NewSenderTransfer";
    case source_state::negotiating:
      return "NegotiatingTransfer";
    case source_state::waiting_for_capacity:
      return "WaitingForDestinationCapacity";
    case source_state::running:
      return "RunningTransfer";
    case source_state::recovering:
      return "RecoveringTransfer";
    case source_state::resynchronising:
      return "ReSynchronisingTransfer";
    case source_state::resuming:
      return "ResumingTransfer";
    case source_state::complete:
      return "CompleteReceivedTransfer";
    case source_state::failed:
      return "FailedTransferEnding";
    case source_state::cancelled_new:
      return "CancelledNewTransfer";
    case source_state::cancelled_in_progress:
      return "CancelledInProgressTransfer";
    case source_state::recovery_timed_out:
      return "RecoveryTimedOut";
  }
  return "FailedTransferEnding";
}

bool is_end(source_state state) {
  return state >= source_state::complete;
}

std::vector<source_output> source_machine::step(const source_input& event, std::int64_t now_ms) {
  now_ = now_ms;
  actions out;
  if (is_end(state_)) return out;  // whatever comes late changes nothing
  std::visit([&](const auto& e) { on(e, out); }, event);
  return out;
}

void source_machine::on(const source_event::start& e, actions& out) {
  if (state_ != source_state::new_transfer || planned_) return;
  if (e.adopted) {
    moved_data_ = true;  // for all that is known
    recover(out);
  }
  if (!is_end(state_)) out.push_back(source_action::make_plan{});
}

void source_machine::on(const source_event::planned&, actions& out) {
  if (planned_) return;
  planned_ = true;
  if (state_ == source_state::recovering) return recover(out);
  ask(source_state::negotiating, limits_.negotiation_timeout_ms, out);
}

void source_machine::on(const source_event::plan_failed& e, actions& out) {
  if (!planned_) end(source_state::failed, e.code, out);
}

void source_machine::on(const source_event::negotiated& e, actions& out) {
  const bool asked = state_ == source_state::negotiating || state_ == source_state::resynchronising;
  if (!asked || e.attempt != attempt_) return;
  if (e.code == code_outbid) return wake(limits_.outbid_retry_ms, out);
  if (e.code == code_destination_capacity) return wait_for_capacity(out);
  if (e.code != 0) return end(source_state::failed, e.code, out);
  state_ = state_ == source_state::negotiating ? source_state::running : source_state::resuming;
  frames_read_ = frames_acked_ = 0;
  reading_ = last_read_ = false;
  moved_data_ = true;
  path_open_ = path_wanted_ = false;
  out.push_back(source_action::open_reader{attempt_});
  out.push_back(source_action::open_path{});
  wake(limits_.ack_timeout_ms, out);
}

void source_machine::on(const source_event::frame_read& e, actions& out) {
  if (!moving() || e.attempt != attempt_) return;
  reading_ = false;
  ++frames_read_;
  last_read_ = e.last;
  out.push_back(source_action::send_frame{});
  read_more(out);
}

void source_machine::on(const source_event::broken&, actions& out) {
  end(source_state::failed, code_failed, out);
}

void source_machine::on(const source_event::acked& e, actions& out) {
  if (!moving() || e.attempt != attempt_ || e.frames > frames_read_) return;
  state_ = source_state::running;
  recovery_since_ = -1;
  frames_acked_ = std::max(frames_acked_, e.frames);
  all_arrived_ |= e.complete;
  if (all_arrived_ && !e.lacking) return end(source_state::complete, code_complete, out);
  wake(all_arrived_ ? limits_.results_patience_ms : limits_.ack_timeout_ms, out);
  change_path(out);
  read_more(out);
}

void source_machine::on(const source_event::cancel&, actions& out) {
  end(moved_data_ ? source_state::cancelled_in_progress : source_state::cancelled_new, code_cancelled, out);
}

void source_machine::on(const source_event::unreachable&, actions& out) {
  if (planned_) end(source_state::failed, code_unreachable, out);
}

void source_machine::on(const source_event::tick&, actions& out) {
  const bool recovering = state_ == source_state::recovering || state_ == source_state::resynchronising;
  if (recovering && limits_.recovery_timeout_ms >= 0 && now_ - recovery_since_ >= limits_.recovery_timeout_ms) {
    return end(source_state::recovery_timed_out, code_recovery_timed_out, out);
  }
  if (state_ == source_state::new_transfer) return;
  if (state_ == source_state::waiting_for_capacity) {
    return ask(source_state::negotiating, limits_.negotiation_timeout_ms, out);
  }
  if (moving() && all_arrived_ && std::exchange(results_asked_for_, true)) {
    return end(source_state::complete, code_complete, out);
  }
  recover(out);
}

// What is under way, data or a question, may have gone with the activation before: nobody needs to wait for it.
void source_machine::on(const source_event::taken_over&, actions& out) {
  if (state_ == source_state::negotiating) return ask(source_state::negotiating, limits_.negotiation_timeout_ms, out);
  if (moving() || state_ == source_state::resynchronising) recover(out);
}

void source_machine::on(const source_event::path_open& e, actions& out) {
  if (!moving() || e.attempt != attempt_ || path_open_) return;
  path_open_ = true;
  window_ = std::max<std::uint32_t>(e.window, 1);
  read_more(out);
}

// Nothing is wrong with the destination: this is not recovery, and has none of its limits.
void source_machine::on(const source_event::path_lost& e, actions& out) {
  if (moving() && e.attempt == attempt_) ask(source_state::negotiating, limits_.ack_timeout_ms, out);
}

void source_machine::on(const source_event::better_path&, actions& out) {
  if (!moving() || !path_open_) return;
  path_wanted_ = true;
  change_path(out);
}

// Nor is this: the destination has only dropped what it did not acknowledge.
void source_machine::on(const source_event::halted& e, actions& out) {
  if (!moving() || e.attempt != attempt_) return;
  recovery_since_ = -1;
  if (e.no_room) return wait_for_capacity(out);
  ask(source_state::negotiating, limits_.ack_timeout_ms, out);
}

void source_machine::wait_for_capacity(actions& out) {
  if (limits_.fail_at_capacity) return end(source_state::failed, code_destination_capacity, out);
  state_ = source_state::waiting_for_capacity;
  wake(limits_.capacity_retry_ms, out);
}

// Frames that take two ways at once could overtake each other.
void source_machine::change_path(actions& out) {
  if (!path_wanted_ || reading_ || frames_read_ > frames_acked_) return;
  path_open_ = path_wanted_ = false;
  out.push_back(source_action::open_path{});
}

// A question to the destination, with a new attempt: what belongs to an older one is ignored by both sides from now on.
void source_machine::ask(source_state next, std::int64_t patience_ms, actions& out) {
  state_ = next;
  ++attempt_;
  all_arrived_ = false;
  out.push_back(source_action::negotiate{attempt_});
  wake(patience_ms, out);
}

void source_machine::read_more(actions& out) {
  if (!path_open_ || path_wanted_ || reading_ || last_read_ || frames_read_ - frames_acked_ >= window_) return;
  reading_ = true;
  out.push_back(source_action::read_frame{});
}

void source_machine::recover(actions& out) {
  if (recovery_since_ < 0) {
    recovery_since_ = now_;
    ++recoveries_;
    out.push_back(source_action::recover{});
  }
  if (limits_.recovery_timeout_ms == 0) {
    return end(source_state::recovery_timed_out, code_recovery_timed_out, out);
  }
  state_ = source_state::recovering;
  if (planned_) return ask(source_state::resynchronising, limits_.recovery_retry_ms, out);
  wake(limits_.recovery_retry_ms, out);  // the plan is still being looked for
}

void source_machine::end(source_state how, int code, actions& out) {
  state_ = how;
  out.push_back(source_action::finish{code});
}

// Recovery must not outlive its own limit, so no wait reaches past it.
void source_machine::wake(std::int64_t delay_ms, actions& out) {
  std::int64_t at = now_ + delay_ms;
  if (recovery_since_ >= 0 && limits_.recovery_timeout_ms > 0) {
    at = std::min(at, recovery_since_ + limits_.recovery_timeout_ms);
  }
  out.push_back(source_action::wake_at{at});
}

}  // namespace baton::transfer
