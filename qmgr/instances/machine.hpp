// Which instance of a multi-instance queue manager is the active one, as a pure machine: step(event, now) -> actions.
// No I/O, no clock, no log. README.md of this folder has the protocol and says what each rule prevents.
//
// Invariants, asserted after every step:
//  1. only active and closing hold an epoch, and it is above every epoch seen before;
//  2. the deadline is a lease behind a time at which lock and store were proved, never behind the time of the answer;
//  3. after lost nothing is done any more;
//  4. every state but stopped has a time to wake at.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace baton::instances {

enum class state {
  waiting,   // previous: claiming, closing.  next: claiming, stopped
  claiming,  // previous: waiting.            next: active, waiting, stopped
  active,    // previous: claiming.           next: closing, stopped
  closing,   // previous: active.             next: waiting (it gives the queue manager back), stopped
  stopped,   // previous: any.                end
};
std::string_view to_string(state s);

// Milliseconds.
struct limits {
  std::int64_t look_ms = 100;         // how often one that waits looks at the lock
  std::int64_t renew_ms = 1000;       // property instanceRenewInterval
  std::int64_t lease_ms = 10000;      // property instanceLease
  std::int64_t hold_ms = 1000;        // how long one leaves the first try to a more preferred one
  std::int64_t hand_over_ms = 10000;  // the same for one that has just handed over
  std::int64_t fail_back_delay_ms = 30000;
};

struct preference {
  std::string own;                     // name of this instance
  std::vector<std::string> preferred;  // the most preferred first; what is not in it comes last
  bool fail_back = false;
  bool permits_standby = true;  // false: it runs alone or not at all
};

// What another instance's file says.
struct peer {
  std::string name;
  bool running = false;
  enum { standby, active, ended } what = standby;
  std::uint64_t epoch = 0, renewals = 0, beat = 0;
  bool permits_standby = true, end_all = false;
};

namespace event {
// Comes when asked for. `lock_free`: nobody else holds the lock of `epoch`, the highest that the driver knows of.
struct looked {
  std::vector<peer> peers;
  bool complete = true;       // false: not every file could be read
  std::int64_t began_ms = 0;  // before the first was read
  std::uint64_t epoch = 0;
  bool lock_free = false;
};
struct claimed {
  std::uint64_t epoch = 0;
  std::int64_t began_ms = 0;
};  // the store's epoch was raised to this one
struct outrun {
  std::uint64_t epoch = 0, renewals = 0;
};                  // the store says this, or somebody has a lock that is needed; nothing was changed
struct blocked {};  // a commit of the holder is in the way
struct renewed {
  std::int64_t began_ms = 0;
};  // lock and store were still ours at some time after this one
struct reclaimed {
  std::int64_t began_ms = 0;
};                 // they were taken once more, after the lease was over
struct lost {};    // they are not, or it cannot be known
struct late {};    // something is to leave, and the deadline has passed
struct failed {};  // it cannot serve: its port is taken, its store is damaged
struct closed {};  // nothing will be written or sent any more
struct stop {
  bool all = false, immediate = false;
};
struct tick {};
}  // namespace event
using input =
    std::variant<event::looked, event::claimed, event::outrun, event::blocked, event::renewed, event::reclaimed,
                 event::lost, event::late, event::failed, event::closed, event::stop, event::tick>;

enum class reason { stopped, ended_with_active, no_standby_permitted, lost, failed };

namespace action {
struct look {};  // answered by looked
// Take the lock of `epoch` (unless `fence`: its holder was silent for a lease) and that of epoch + 1, then raise the
// store's epoch from `epoch` and `renewals` by one; in one transaction. Answered by claimed, outrun or blocked.
struct claim {
  std::uint64_t epoch = 0, renewals = 0;
  bool fence = false;
};
struct serve {
  std::uint64_t epoch = 0;
};
struct publish {};  // write the own file
struct renew {};    // prove lock and store, write the own file; renewed, lost, or nothing when it failed
struct reclaim {};  // the same, with a transaction that a claim of another one excludes; reclaimed or lost
struct close {
  bool immediate = false;
  std::string to;  // the more preferred instance that gets it; empty: none
};
struct release {
  bool all = false;
};                     // say that it is over, give the locks back
struct end_holder {};  // the process of the holder, if it is on this machine
struct say_held_back {
  std::string by;
};
struct say_blocked {};
struct end {
  reason why = reason::stopped;
};
}  // namespace action
using output = std::variant<action::look, action::claim, action::serve, action::publish, action::renew, action::reclaim,
                            action::close, action::release, action::end_holder, action::say_held_back,
                            action::say_blocked, action::end>;

class machine {
 public:
  machine(limits l, preference p, std::int64_t now_ms);
  std::vector<output> step(const input& happened, std::int64_t now_ms);

  instances::state state() const { return state_; }
  bool holds() const { return state_ == state::active || state_ == state::closing; }
  // Won, or while it holds none, the highest that it knows of.
  std::uint64_t epoch() const { return epoch_; }
  // Nothing leaves at or after this time unless `late` was answered by reclaimed. 0: it holds no epoch.
  std::int64_t deadline_ms() const { return holds() ? deadline_ : 0; }
  std::int64_t wake_ms() const { return state_ == state::stopped ? INT64_MAX : wake_; }

 private:
  friend struct machine_key;  // of the model
  using actions = std::vector<output>;
  struct watched {
    std::uint64_t epoch = 0, beat = 0;
    bool running = false, standby = false;
    std::int64_t changed_at = 0;  // when its beat was seen to change last
    std::int64_t well_since = 0;  // standing by without a gap since then
  };

  void on(const event::looked& e, actions& out);
  void on(const event::claimed& e, actions& out);
  void on(const event::outrun& e, actions& out);
  void on(const event::blocked& e, actions& out);
  void on(const event::renewed& e, actions& out);
  void on(const event::reclaimed& e, actions& out);
  void on(const event::lost& e, actions& out);
  void on(const event::late& e, actions& out);
  void on(const event::failed& e, actions& out);
  void on(const event::closed& e, actions& out);
  void on(const event::stop& e, actions& out);
  void on(const event::tick& e, actions& out);

  void watch(const event::looked& e);
  void watch_holder(const event::looked& e);
  void wait_or_claim(const event::looked& e, actions& out);
  void give_back(actions& out);
  void finish(reason why, actions& out);
  std::size_t rank(const std::string& name) const;
  bool is_well(const watched& one) const;
  std::string more_preferred(std::int64_t well_for_ms) const;
  void check(instances::state before, std::uint64_t epoch_before) const;

  limits limits_;
  preference preference_;
  instances::state state_ = state::waiting;
  std::int64_t now_, wake_, renew_at_;
  std::uint64_t epoch_ = 0;
  std::int64_t deadline_ = 0;
  std::map<std::string, watched> peers_;

  // Of the holder of epoch_, as it was seen last, and since when it has said nothing new.
  std::uint64_t holder_renewals_ = 0, holder_beat_ = 0;
  std::int64_t holder_silent_since_;
  bool holder_seen_active_ = false;
  std::optional<std::int64_t> open_since_;  // the queue manager could be had
  bool fencing_ = false, told_held_back_ = false, told_blocked_ = false;
  bool end_all_ = false, return_to_waiting_ = false;
  bool stands_by_ = false;         // it has looked, may wait, and has said so
  std::uint64_t handed_over_ = 0;  // the epoch that it gave to a more preferred one
};

}  // namespace baton::instances
