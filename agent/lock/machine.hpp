// The lock of an agent as a pure machine: step(event, now) -> actions. No I/O, no clock, no log. Who is delivered a
// token of the HA queue is its one active consumer; who then has its own claim delivered back, before the lease that
// began when it was sent is over, is the active instance. agent/lock/README.md has the protocol and the table of
// states.
//
// Invariants, asserted after every step:
//  1. the agent's queues are open only in recovering and active;
//  2. active only after the claim of the current generation came back;
//  3. an epoch that is won is above every epoch seen;
//  4. leaving recovering or active deactivates in that same step;
//  5. from suspended only to standby or stopped;
//  6. every state but stopped has a time to wake at.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace baton::lock {

enum class state {
  disconnected,  // previous: any but suspended, stopped.   next: standby, stopped
  standby,       // previous: disconnected, suspended.      next: claiming, disconnected, stopped
  claiming,      // previous: standby, active, recovering.  next: recovering, disconnected, stepping_down, stopped
  recovering,  // previous: claiming.                     next: active, claiming, suspended, disconnected, stepping_down
  active,      // previous: recovering.                   next: claiming, suspended, disconnected, stepping_down
  suspended,   // previous: recovering, active.           next: standby, stopped
  stepping_down,  // previous: recovering, active, claiming. next: stopped, disconnected
  stopped,        // previous: any.                          end
};
std::string_view to_string(state s);  // "disconnected", ...

// Milliseconds; docs/properties.md has the properties.
struct limits {
  std::int64_t renew_interval_ms = 1000;      // lockRenewInterval
  std::int64_t lease_ms = 4000;               // lockLease
  std::int64_t reissue_interval_ms = 600000;  // the durable claim: some brokers take back what is unsettled for long
  std::int64_t seed_interval_ms = 300000;     // standbyStatusPublishInterval
  std::int64_t poll_interval_ms = 5000;       // standbyPollInterval: where the broker refuses the second consumer
  std::int64_t sleep_time_ms = 30000;         // consumerSleepTime: after the first refusal
  std::int64_t reconnect_first_ms = 100, reconnect_max_ms = 30000;
  std::int64_t step_down_ms = 5000;  // for work to end and the last token to be taken
  // Of the list of queue managers: so many are tried one after the other before there is a wait.
  int addresses = 1;
  // Of several instances that lose their queue manager the others let the active one be first at the next.
  std::int64_t follow_ms = 0;
  // An instance that others are preferred to gives way once when the lock comes to it: it attaches anew after so long.
  // 0: it is preferred to all that it knows of.
  std::int64_t hang_back_ms = 0;
};

// What the machine looks at in a token; the driver writes the rest.
struct token {
  std::uint64_t epoch = 0, sequence = 0;
  std::string run;
  bool released = false;
  bool moved = false;  // with released: its writer goes on at the first queue manager of the list
};

using generation = std::uint64_t;  // of the connection, from 1
using delivery = std::uint64_t;

namespace event {
struct start {};
struct connected {
  generation of = 0;
  // The queue manager delivers to the most preferred of those that are attached: only an instance that has just come
  // may be in the way of others, which are about to.
  bool consumer_priority = false;
};  // the lock's links are open; comes before anything that is delivered
struct refused {
  generation of = 0;
};  // another one has the queue and the broker does not let wait
struct lost {
  generation of = 0;
};  // anything of this generation broke
struct delivered {
  generation of = 0;
  delivery id = 0;
  token what;
};
struct accepted {
  generation of = 0;
  std::uint64_t epoch = 0, sequence = 0;
};  // the broker has taken this token of ours; a durable one is on its disk
struct recovered {
  generation of = 0;
};  // the agent's queues are open
struct outbid {
  std::uint64_t epoch = 0;
};  // a peer has seen this epoch of this agent from another run: only then does our own epoch count, too
struct stop {};
// Of the active one: gives the lock back at its own wish, and stands by after `for_ms`; with `moves` at the first queue
// manager of the list.
struct step_aside {
  std::int64_t for_ms = 0;
  bool moves = false;
};
struct quiet {};  // all that deactivate cancelled has ended
struct tick {};   // the time asked for has come
}  // namespace event
using input =
    std::variant<event::start, event::connected, event::refused, event::lost, event::delivered, event::accepted,
                 event::recovered, event::outbid, event::stop, event::quiet, event::tick, event::step_aside>;

// Of the list of queue managers: the one as before; what comes behind it, for it has failed; the first.
enum class address { same, next, first };

namespace action {
struct connect {
  generation as = 0;
  address where = address::same;
};
struct disconnect {};  // the connection closes; nothing of its generation is listened to any more
struct send {
  token what;
  bool durable = true;
};
struct settle {
  delivery id = 0;
};
struct activate {
  std::uint64_t epoch = 0;
  bool clean = false;  // the one before said that it does nothing any more
};                     // open the agent's queues, take its transfers over
struct deactivate {};  // nothing irreversible from now on, and all work is cancelled
struct excluded {
  std::int64_t wait_ms = 0;
};                   // say once that another one has the queue
struct admitted {};  // after excluded: the wait is back at its usual length
}  // namespace action
using output = std::variant<action::connect, action::disconnect, action::send, action::settle, action::activate,
                            action::deactivate, action::excluded, action::admitted>;

class machine {
 public:
  // `run` must be unique among all instances and process starts; `seed` makes the jitter.
  machine(limits l, std::string run, std::uint64_t seed);
  std::vector<output> step(const input& happened, std::int64_t now_ms);

  lock::state state() const { return state_; }
  std::uint64_t epoch() const { return epoch_; }  // that was won; 0: none
  generation current() const { return generation_; }
  // Nothing irreversible at or after this time, even if no event says so. 0 unless recovering or active.
  std::int64_t deadline_ms() const { return holds() ? deadline_ : 0; }
  // When the machine wants a tick; INT64_MAX only when stopped.
  std::int64_t wake_ms() const { return wake_; }

 private:
  friend struct machine_key;  // of the model: two machines are the same when all that is below is
  struct held {
    delivery id = 0;
    bool durable = false;        // the claim of the current epoch, or what is to take its place
    std::uint64_t sequence = 0;  // of that one
  };
  using actions = std::vector<output>;

  bool holds() const { return state_ == state::recovering || state_ == state::active; }
  bool connected() const {
    return holds() || state_ == state::standby || state_ == state::claiming || state_ == state::stepping_down;
  }
  void on(const event::start&, actions& out);
  void on(const event::connected& e, actions& out);
  void on(const event::refused& e, actions& out);
  void on(const event::lost& e, actions& out);
  void on(const event::delivered& e, actions& out);
  void on(const event::accepted& e, actions& out);
  void on(const event::recovered& e, actions& out);
  void on(const event::outbid& e, actions& out);
  void on(const event::stop&, actions& out);
  void on(const event::step_aside& e, actions& out);
  void on(const event::quiet&, actions& out);
  void on(const event::tick&, actions& out);

  void connect(actions& out);
  void close(actions& out);
  void drop(lock::state next, actions& out);
  void end(actions& out);
  void release(bool moved, actions& out);
  bool gives_way() const;
  void give_way(actions& out);
  void suspend(actions& out);
  void deactivate(actions& out);
  void seed(actions& out);
  void look_at(const token& t);
  void claim(actions& out);
  void claimed(actions& out);
  void renew(actions& out);
  void renewed(const event::delivered& e, actions& out);
  void reissued(actions& out);
  std::int64_t jitter(std::int64_t ms);
  void check(lock::state before, std::uint64_t epoch_before, const actions& out) const;

  // Not const: a machine can be copied, which lets tests go on from one state in several ways.
  limits limits_;
  std::string run_;
  std::uint64_t random_;
  lock::state state_ = state::disconnected;
  std::int64_t now_ = 0, wake_ = 0;
  generation generation_ = 1;
  bool connecting_ = false;
  std::int64_t connected_at_ = 0;
  int failures_ = 0, refused_ = 0;  // in a row
  address where_ = address::same;   // of the next attempt to connect
  bool led_ = false;                // it was the active one when it lost its queue manager
  bool gave_way_ = false;           // the lock came, and this instance let others have it; so it does once
  bool consumer_priority_ = false;  // of the present connection
  std::int64_t seed_at_ = 0;

  std::uint64_t seen_ = 0;   // the highest epoch of any token, or that a peer named
  token newest_;             // of those of other runs
  std::uint64_t epoch_ = 0;  // the last one that was claimed
  bool claim_accepted_ = false, claim_back_ = false;
  std::vector<held> held_;  // unsettled

  std::uint64_t sequence_ = 0;                       // of the last token sent
  std::map<std::uint64_t, std::int64_t> under_way_;  // sequence of a renewal -> when it was sent
  std::uint64_t reissued_ = 0;                       // of a durable renewal under way; 0: none
  bool reissue_accepted_ = false, reissue_back_ = false;
  std::uint64_t confirm_ = 0;  // when this one is back, claim higher; 0: nothing to do
  std::int64_t deadline_ = 0, reissue_at_ = 0;
  std::int64_t alone_at_ = 0;           // from then on no lease of an earlier epoch can be left
  bool released_ = false;               // the last token is on its way
  bool aside_ = false, moves_ = false;  // what stepping_down leads to: standing by, elsewhere
  std::int64_t aside_ms_ = 0;
};

}  // namespace baton::lock
