// A queue with a single active consumer, the connections to it, and instances that run the real lock machine: all
// that can happen next in a state of this world is a list of choices, and a choice leads to the next state.
//
// What the model has: sends that a dropped connection loses; what it was delivered and had not settled goes back to
// its place (or to the tail); a client that reads its buffer long after it was dropped; processes that are frozen,
// killed, stopped; brokers that restart; a clock in steps of one, in which lease, intervals and waits are a few steps
// long, so that the machine's jitter of 10 % is none. Two instances may hold the lock at once only while one of them is
// a late reader: its connection is gone at the broker, it has not noticed yet, and its lease, counted from when it
// sent the token that it read last, is not over.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/lock/machine.hpp"

namespace baton::model {

enum class kind {
  take,     // the broker takes the next things from a connection
  sync,     // what it took last of a connection is on its disk: it says so
  read,     // an instance reads the next thing in its buffer
  answer,   // an instance reads that a token was accepted
  notice,   // an instance notices that its connection is gone
  tick,     // an instance comes to its timer late, after it was frozen
  advance,  // time goes on by one step; instances that are not frozen come to their timers
  thaw,     // a frozen process goes on
  quiet,    // the work that was cancelled has ended
  revive,   // a stopped instance is started again
  take_over,
  commit,
  arrive,  // of the parts that the lock does not protect: see `work`
  drop,
  freeze,
  kill,
  restart,
  stop,
  aside,  // the active instance gives the lock back at its own wish
  // from drop on: faults, which are rare
};

constexpr std::int64_t detection = 4;  // longer than the lease: after it a broker drops a silent client

struct choice {
  kind what = kind::advance;
  int which = 0;  // connection, instance or piece of work
};

// What the modelled world is like. The defaults are what brokers and agents are to be like.
struct rules {
  int instances = 2;
  int faults = 2;
  std::int64_t time_max = -1;  // the clock makes no more steps than these; below 0: any number
  bool tail = false;           // a broker that puts back at the tail
  int length_max = 0;          // a broker that drops the oldest ready message when there are more; 0: none
  int credit = 16;             // messages that are on the way to a client or in its buffer
  bool slow_sync = false;      // tokens are delivered before they are on disk
  bool work = false;           // with messages to a receiver and a part file
  bool fence = true;           // the receiver refuses a lower epoch
  bool epoch_in_name = true;   // of the part file
  bool harm_only = false;      // to show what comes of a broken invariant, not that it is broken
  bool preferred = false;      // each instance hangs back for those with lower numbers
  bool priorities = false;     // a broker that delivers to the lowest number of those that are attached
  bool moves = false;          // who gives the lock back says that it has moved
  bool asides = false;
  bool stops = true, kills = true, restarts = true, freezes = true, drops = true;
};

struct message {
  std::uint64_t id = 0;
  lock::token what;
  std::int64_t sent = 0;
  bool durable = true, synced = true;
  int from = 0, at = 0;  // connections; at: to which it was delivered, 0: ready
};

struct operation {
  enum { attach, send, settle, close } what = attach;
  message sent;
  std::uint64_t settled = 0;
};

struct arrived {
  lock::input what;
  std::int64_t sent = 0;  // the token in it
};

struct connection {
  int id = 0, owner = 0;
  lock::generation of = 0;
  bool open = true;  // at the broker
  bool attached = false;
  bool closed = false;  // by the client
  std::vector<operation> under_way = {};
  std::vector<arrived> buffer = {}, answers = {};
};

struct process {
  lock::machine machine;
  int life = 1;
  bool frozen = false, quiet_due = false, queues_open = false;
  std::int64_t frozen_at = 0;
  std::uint64_t epoch = 0;       // that is active, 0: none
  std::int64_t alone_at = 0;     // from then on it may do what cannot be fenced
  std::int64_t proof = 0;        // when it sent the newest token of its epoch that it read
  std::uint64_t claim_read = 0;  // the epoch of the last own claim that it read on this connection
  std::uint64_t seen = 0;        // the highest epoch of other runs that it read
};

// An epoch's work on a file and its messages to a receiver. It may go on at any time after the activation, however
// late, lease or not: a process can be frozen between looking at its lease and the act.
struct work {
  int owner = 0, life = 0;
  std::uint64_t epoch = 0;
  bool took_over = false, done = false, arrived = false;
};

struct world {
  explicit world(const rules& r);

  rules is;
  lock::limits limits;
  std::int64_t now = 0, began = 0;
  int faults_left = 0;
  std::uint64_t next_message = 1;
  int next_connection = 1;
  std::vector<message> queue;
  std::vector<connection> connections;  // attached ones are consumers in this order
  int active_consumer = 0;              // the connection that is delivered to; 0: none
  std::vector<process> processes;
  std::vector<std::uint64_t> activated;  // epochs, in order
  std::vector<work> works;
  std::uint64_t receiver_epoch = 0, file_epoch = 0;
  bool committed = false;
  std::string wrong;  // the property that does not hold

  std::vector<choice> choices() const;
  void apply(const choice& c);
  std::string describe(const choice& c) const;  // before it is applied
  std::string key() const;                      // the same for states with the same future
  std::string outline() const;

  bool holds(const process& p) const { return p.machine.deadline_ms() > now; }
  int holders() const;
  bool connected(int owner) const;  // the broker has this instance's connection
  connection* current(int owner);
  const connection* current(int owner) const;
  connection* by_id(int id);
  void thaw_all();

 private:
  void broker_takes(connection& c);
  void broker_publishes(connection& c, message m);
  connection* consumer();
  void broker_delivers();
  void broker_drops(int id);
  void broker_restarts();
  void step(int owner, const lock::input& happened);
  void perform(int owner, const lock::output& what);
  void activate(int owner, const lock::action::activate& a);
  void reads(int owner);
  void start(int owner);
  void do_work(const choice& c);
  void process_choice(const choice& c);
  void check_step(int owner, lock::state before, bool was_tick);
  void check_all();
  void unlike(const std::string& text) {  // an invariant of the machine is broken
    if (!is.harm_only) fail(text);
  }
  void fail(const std::string& text) {
    if (wrong.empty()) wrong = text;
  }
  void process_choices(int owner, std::vector<choice>& out) const;
  void fault_choices(std::vector<choice>& out) const;
  bool may_advance() const;
  bool may_be_dropped(const connection& c) const;  // in any run, without a fault
};

}  // namespace baton::model
