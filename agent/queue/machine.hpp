// The course of a transfer whose source is a queue, as a pure machine: step(event) -> actions. No I/O, no clock, no
// log. Which messages are taken is the intake's decision, and what they are the driver's (queue_source).
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

namespace baton::queue {

// `lost` leads from every state before the end to collecting, or, once the list is in somebody's hands, to looking.
enum class state {
  idle,        // previous: -.                              next: collecting, looking
  collecting,  // messages come.      previous: idle.       next: writing, over
  looking,     // those of the list.  previous: idle.       next: writing, over
  writing,     // the file.           previous: collecting, looking.    next: holding, announcing, settling, over
  holding,     // until take_off.     previous: writing.    next: announcing, settling
  announcing,  // to other readers.   previous: writing, holding.       next: recording
  recording,   // that they may be gone. previous: announcing.          next: settling
  settling,    // they are taken off. previous: writing, holding, recording.  next: over
  over,        // end
};

namespace event {
struct collect {};
struct look_for {
  bool taken = false;  // an earlier activation had begun to take them off: some may be gone
  bool file_missing = false;
};
struct begun {             // it is this transfer's turn
  bool overtaken = false;  // another reader has taken what this one had announced
};
struct refused {};  // there is no such queue, or it may not be read
struct unfit {};    // a message that cannot be in a file
struct enough {     // the queue is empty, or a limit is met
  std::uint64_t listed = 0, held = 0;
  std::uint64_t candidates = 0;  // looked at, and not of a group that is complete
};
struct written {
  bool failed = false;
};
struct take_off {};   // the destination has all of the file on stable storage
struct announced {};  // other readers will know
struct recorded {};   // whoever comes next knows that they may be gone
struct settled {};    // none of them can come again
struct lost {};       // with the connection: what was held is on the queue again
}  // namespace event
using input =
    std::variant<event::collect, event::look_for, event::begun, event::refused, event::unfit, event::enough,
                 event::written, event::take_off, event::announced, event::recorded, event::settled, event::lost>;

enum class action {
  join,            // the subscription's line; `begun` when it is this one's turn
  collect_anew,    // forget what came; `begun` follows
  look_anew,       // likewise, for the messages of the list
  make_file,       // empty
  receive,         // as many as there is room for; `enough` when that was all
  write,           // what is left to write, to stable storage: `written`. At once where there is no file
  tell_collected,  // the list is in somebody's hands from now on
  tell_found,      // all of the list, or as many as there can be
  announce,        // `announced`
  record,          // `recorded`, also in a later state
  settle,          // `settled`
  finish,          // leave the line, and say that they are taken
  // The last one, with its message.
  fail_empty,      // BFGTR0050E
  fail_no_group,   // BFGTR0058E
  fail_missing,    // BFGTR0051E: somebody else has some of the list
  fail_overtaken,  // BFGTR0051E: somebody else has all of it
  fail_refused,    // BFGTR0048E
  fail_unfit,      // BFGTR0049E
  fail_unwritten,  // BFGIO0901E
};

class machine {
 public:
  std::vector<action> step(const input& happened);
  state now() const { return state_; }
  // Nothing is told or done any more.
  void stop() { state_ = state::over; }

 private:
  using actions = std::vector<action>;
  actions on(const event::collect&);
  actions on(const event::look_for& how);
  actions on(const event::begun& how);
  actions on(const event::refused&);
  actions on(const event::unfit&);
  actions on(const event::enough& all);
  actions on(const event::written& how);
  actions on(const event::take_off&);
  actions on(const event::announced&);
  actions on(const event::recorded&);
  actions on(const event::settled&);
  actions on(const event::lost&);
  actions end(action last);
  actions go(state next, action first);
  actions take();

  state state_ = state::idle;
  bool listed_ = false;  // the list is in somebody's hands: it does not change any more
  bool told_ = false;    // tell_collected or tell_found was an action
  bool file_missing_ = false;
  bool wanted_ = false;  // take_off came
  bool taken_ = false;   // a durable record says that they may be gone
};

}  // namespace baton::queue
