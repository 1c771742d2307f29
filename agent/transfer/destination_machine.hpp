// The destination side of one transfer as a pure machine: step(event, now) -> actions. No I/O, no clock, no log.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/transfer/outcome.hpp"

namespace baton::transfer {

enum class destination_state {
  new_transfer,  // previous: -.                                 next: running
  running,       // previous: new, restarting.                   next: restarting, completed
  recovering,    // a record of an earlier activation was found. next: restarting, completed
  restarting,    // previous: running, recovering.               next: running, completed
  completed,     // the source said so, or fell silent.          end
};

std::string_view to_string(destination_state state);  // "NewReceiverTransfer", ...

struct destination_limits {
  std::int64_t silence_ms = 300000;  // transferAckTimeout * retries: the source is taken for lost, its place is freed
  std::int64_t ack_delay_ms = 50;    // an acknowledgement that waits for further frames waits no longer than that
};

namespace destination_event {
struct adopted {};     // an earlier activation left it; before any other event
struct part_found {};  // adopt_part is done
struct negotiated {
  std::uint64_t attempt = 0;
};
struct frame {
  std::uint64_t attempt = 0, sequence = 0;
};
struct written {
  std::uint64_t attempt = 0, sequence = 0;
  trouble halted = trouble::none;  // damaged or no_room: the frame was not written to its end
  std::uint64_t ack_every = 1;     // frames that one acknowledgement may stand for; 1: there is something to tell
};
struct finished {};  // the source ended it, however
struct tick {};
}  // namespace destination_event
using destination_input =
    std::variant<destination_event::adopted, destination_event::part_found, destination_event::negotiated,
                 destination_event::frame, destination_event::written, destination_event::finished,
                 destination_event::tick>;

namespace destination_action {
struct adopt_part {};  // take over the part file; answered by part_found
struct rewind {};      // forget what is not durable, drop queued frames
struct answer {
  std::uint64_t attempt = 0;
};                      // the position to go on from
struct queue_frame {};  // keep the frame of this event
struct write_frame {
  bool more = false;  // another one waits behind it
};                    // the oldest queued one; one at a time
struct acknowledge {
  std::uint64_t frames = 0;
};
struct halt {};   // tell the source that nothing more is taken in this attempt, and why
struct close {};  // drop everything; the last action
struct wake_at {
  std::int64_t time_ms = 0;
};
}  // namespace destination_action
using destination_output =
    std::variant<destination_action::adopt_part, destination_action::rewind, destination_action::answer,
                 destination_action::queue_frame, destination_action::write_frame, destination_action::acknowledge,
                 destination_action::halt, destination_action::close, destination_action::wake_at>;

class destination_machine {
 public:
  explicit destination_machine(destination_limits limits) : limits_(limits) {}
  std::vector<destination_output> step(const destination_input& event, std::int64_t now_ms);
  destination_state state() const { return state_; }
  std::uint64_t attempt() const { return attempt_; }

 private:
  using actions = std::vector<destination_output>;
  void on(const destination_event::adopted&, actions& out);
  void on(const destination_event::part_found&, actions& out);
  void on(const destination_event::negotiated& e, actions& out);
  void on(const destination_event::frame& e, actions& out);
  void on(const destination_event::written& e, actions& out);
  void on(const destination_event::finished&, actions& out);
  void on(const destination_event::tick&, actions& out);
  void write_next(actions& out);
  void wake(actions& out) const;
  void acknowledge(actions& out);
  void restart(actions& out);
  void close(actions& out);

  const destination_limits limits_;
  destination_state state_ = destination_state::new_transfer;
  std::int64_t now_ = 0;
  std::uint64_t attempt_ = 0;
  std::uint64_t next_sequence_ = 1;  // of the frames that may be queued; 0: none
  std::uint64_t queued_ = 0;
  std::uint64_t written_ = 0, acknowledged_ = 0;  // frames of this attempt
  std::int64_t silent_at_ = 0, acknowledge_at_ = 0;
  int damaged_in_a_row_ = 0;
  bool writing_ = false;         // a worker has the files: it writes a frame or takes over a part file
  bool restart_wanted_ = false;  // a new attempt came while a frame was being written
  bool close_wanted_ = false;
};

}  // namespace baton::transfer
