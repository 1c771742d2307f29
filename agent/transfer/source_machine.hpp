// The source side of one transfer as a pure machine: step(state, event, now) -> actions. No I/O, no clock, no log.
// The states are the field's (reference section 5.2); the comment of each says where it comes from and goes to.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

namespace baton::transfer {

enum class source_state {
  new_transfer,  // previous: -.                              next: negotiating, failed, cancelled_new
  negotiating,   // previous: new, waiting, running, resuming. next: running, waiting, recovering, failed, cancelled_new
  waiting_for_capacity,  // previous: negotiating, running, resuming. next: negotiating, recovering, failed,
                         // cancelled_new
  running,     // previous: negotiating, resuming.          next: complete, waiting, negotiating, recovering, failed,
               // cancelled
  recovering,  // previous: any before the end.             next: resynchronising, recovery_timed_out, cancelled
  resynchronising,  // previous: recovering.                     next: resuming, recovering, recovery_timed_out, failed
  resuming,  // previous: resynchronising.                next: running, complete, waiting, negotiating, recovering,
             // failed, cancelled
  complete,  // the destination has every item's result.  end
  failed,    // nothing more is sent.                     end
  cancelled_new,          // cancelled before data was sent.           end
  cancelled_in_progress,  // cancelled while data was sent.        end
  recovery_timed_out,     // recovery took too long.                   end
};

std::string_view to_string(source_state state);  // "NewSenderTransfer", ...
bool is_end(source_state state);

// Limits in milliseconds; the property that each comes from is in docs/properties.md.
struct source_limits {
  std::int64_t negotiation_timeout_ms = 250000;  // maxTransferNegotiationTime
  std::int64_t ack_timeout_ms = 60000;           // transferAckTimeout: silence before recovery
  std::int64_t results_patience_ms = 2000;       // all has arrived, and results of it have not come
  std::int64_t capacity_retry_ms = 30000;        // senderTransferRetryInterval
  std::int64_t recovery_retry_ms = 60000;        // recoverableTransferRetryInterval
  std::int64_t recovery_timeout_ms = -1;         // transferRecoveryTimeout: -1 for ever, 0 at once
  bool fail_at_capacity = false;                 // failTransferWhenCapacityReached
  std::int64_t outbid_retry_ms = 2000;  // no property: the agent wins a higher epoch by then, or ends the activation
};

namespace source_event {
struct start {
  bool adopted = false;  // an earlier activation of the agent began it
};
struct planned {};
struct plan_failed {
  int code = 40;
};
struct negotiated {
  std::uint64_t attempt = 0;
  int code = 0;
};
struct frame_read {
  std::uint64_t attempt = 0;
  bool last = false;
};
struct broken {};  // it cannot go on (the plan is unreadable) or must not (the first failure ends it)
struct acked {
  std::uint64_t attempt = 0;
  std::uint64_t frames = 0;
  bool complete = false;
  bool lacking = false;  // results of items that were sent: it may have overtaken one that takes a slower way
};
struct halted {
  std::uint64_t attempt = 0;
  bool no_room = false;  // of the destination's file system: it is asked again later; otherwise at once
};                       // the destination takes nothing more in this attempt
struct cancel {};
struct unreachable {};  // the destination's queue does not exist
struct taken_over {};   // another activation of the destination agent, which knows of no question, has the transfer
// The way that frames take: a direct channel or a queue, which only the driver knows.
struct path_open {
  std::uint64_t attempt = 0;
  std::uint32_t window = 1;  // frames that may be under way on it
};                           // answers open_path
struct path_lost {
  std::uint64_t attempt = 0;
};                      // what was under way on it is lost
struct better_path {};  // another way may be open by now
struct tick {};         // the time asked for by wake_at has come
}  // namespace source_event
using source_input =
    std::variant<source_event::start, source_event::planned, source_event::plan_failed, source_event::negotiated,
                 source_event::frame_read, source_event::broken, source_event::acked, source_event::cancel,
                 source_event::unreachable, source_event::tick, source_event::taken_over, source_event::path_open,
                 source_event::path_lost, source_event::better_path, source_event::halted>;

namespace source_action {
struct make_plan {};
struct negotiate {
  std::uint64_t attempt = 0;
};
struct open_reader {
  std::uint64_t attempt = 0;
};                     // at the position that the destination named
struct open_path {};   // the best way there is now; nothing is under way
struct read_frame {};  // one at a time; answered by frame_read
struct send_frame {};  // the frame of this frame_read
struct recover {};     // say so in the log
struct wake_at {
  std::int64_t time_ms = 0;
};  // replaces the one before
struct finish {
  int code = 0;
};  // tell the destination and the world; the last action
}  // namespace source_action
using source_output = std::variant<source_action::make_plan, source_action::negotiate, source_action::open_reader,
                                   source_action::open_path, source_action::read_frame, source_action::send_frame,
                                   source_action::recover, source_action::wake_at, source_action::finish>;

// Result codes that the machine decides itself; complete leaves the code to the items' results.
inline constexpr int code_complete = 0, code_partial = 20, code_failed = 40, code_cancelled = 41,
                     code_destination_capacity = 45, code_unreachable = 49, code_recovery_timed_out = 69,
                     code_outbid = 190;

class source_machine {
 public:
  // Attempts count from first_attempt, which must be above every one that an earlier run of the agent used.
  source_machine(source_limits limits, std::uint64_t first_attempt) : limits_(limits), attempt_(first_attempt - 1) {}
  std::vector<source_output> step(const source_input& event, std::int64_t now_ms);

  source_state state() const { return state_; }
  std::uint64_t attempt() const { return attempt_; }
  int recoveries() const { return recoveries_; }

 private:
  using actions = std::vector<source_output>;
  void on(const source_event::start& e, actions& out);
  void on(const source_event::planned&, actions& out);
  void on(const source_event::plan_failed& e, actions& out);
  void on(const source_event::negotiated& e, actions& out);
  void on(const source_event::frame_read& e, actions& out);
  void on(const source_event::broken&, actions& out);
  void on(const source_event::acked& e, actions& out);
  void on(const source_event::cancel&, actions& out);
  void on(const source_event::unreachable&, actions& out);
  void on(const source_event::tick&, actions& out);
  void on(const source_event::taken_over&, actions& out);
  void on(const source_event::path_open& e, actions& out);
  void on(const source_event::path_lost& e, actions& out);
  void on(const source_event::better_path&, actions& out);
  void on(const source_event::halted& e, actions& out);

  bool moving() const { return state_ == source_state::running || state_ == source_state::resuming; }
  void change_path(actions& out);
  void wait_for_capacity(actions& out);
  void ask(source_state next, std::int64_t patience_ms, actions& out);
  void read_more(actions& out);
  void recover(actions& out);
  void end(source_state how, int code, actions& out);
  void wake(std::int64_t delay_ms, actions& out);

  const source_limits limits_;
  source_state state_ = source_state::new_transfer;
  std::int64_t now_ = 0;
  bool planned_ = false, moved_data_ = false;
  std::uint64_t attempt_;
  std::uint32_t window_ = 1;
  std::uint64_t frames_read_ = 0, frames_acked_ = 0;
  bool reading_ = false, last_read_ = false;
  bool all_arrived_ = false;        // the destination says, in this attempt
  bool results_asked_for_ = false;  // because they did not come: they are given up when they do not come again
  bool path_open_ = false, path_wanted_ = false;  // wanted: another one, as soon as nothing is under way
  std::int64_t recovery_since_ = -1;              // -1: not in recovery
  int recoveries_ = 0;
};

}  // namespace baton::transfer
