// Instances of a queue manager that run the real machine, the folder that they share, and a clock: all that can happen
// next in a state of this world is a list of choices.
//
// An instance is a program of small steps, as its driver is: read the files, ask for a lock, take a lock, raise the
// epoch in the store, write its file, tell the machine. It can be frozen between any two of them, and in the middle of
// a commit, and go on at any later time. Time goes on only when all that are not frozen have nothing to do.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "qmgr/instances/machine.hpp"

namespace baton::instances_model {

struct rules {
  int instances = 2;
  int faults = 2;
  std::int64_t time_max = 12;
  bool fail_back = false;        // instance 0 is preferred and gets it back
  bool epoch_check = true;       // in every commit
  bool renewals_check = true;    // when the epoch is raised
  bool lease_at_leave = true;    // nothing leaves behind the deadline
  bool stale_io_refused = true;  // the file system refuses writes under a lock that it has given away
  bool give_away_early = false;  // a file system that gives a lock away before the lease of its holder is over
};

enum class kind { step, commit, send, advance, thaw, revive, freeze, kill, stop, give_away };

struct choice {
  kind what = kind::advance;
  int which = 0;
};

struct op {
  enum what_t {
    read_files,
    ask_lock,
    take_lock,
    take_next,
    raise,
    give_old,
    publish,
    prove_lock,
    prove_store,
    prove_file,
    relock,
    reclaim,
    reclaim_file,
    begin_commit,
    end_commit,
    leave,
    closed,
    release,
    give_lock
  } what = read_files;
  std::uint64_t epoch = 0, renewals = 0;
  bool flag = false;
};

struct file {
  bool there = false;
  instances::peer says;
};

struct process {
  std::optional<instances::machine> machine;  // none: it does not run
  bool frozen = false;
  std::int64_t frozen_at = 0;
  std::deque<op> ops = {};
  std::deque<instances::input> events = {};
  std::uint64_t epoch = 0, renewals = 0, beat = 0;  // that it writes into its file
  std::int64_t began = 0;                           // of the proof or claim under way
  bool took = false;                                // its last attempt to take a lock
  instances::event::looked look = {};
  bool leave_again = false;
  bool commit_lost = false;  // the lock of its commit was given away
  int life = 1;
};

struct world {
  explicit world(const rules& r);

  rules is;
  std::int64_t now = 0;
  int faults_left = 0;
  std::vector<process> processes;
  std::vector<file> files;
  std::uint64_t epoch = 0, renewals = 0;          // of the store
  std::set<std::pair<std::uint64_t, int>> locks;  // byte, holder
  int committing = -1;                            // who has a transaction open
  std::set<std::uint64_t> won;
  std::size_t sent = 0, takeovers = 0;  // statistics, not part of the state
  std::string wrong;

  std::vector<choice> choices() const;
  void apply(const choice& c);
  std::string describe(const choice& c) const;
  std::string key() const;
  int active() const;
  // Lets everything go on without faults: what is wrong with where it ends.
  std::string settle();

 private:
  bool busy(int i) const;
  void start(int i);
  void feed(int i, const instances::input& what);
  void run(int i);
  void run_look(int i, const op& o);
  void run_claim(int i, const op& o);
  void run_proof(int i, const op& o);
  void run_work(int i, const op& o);
  void perform(int i, const instances::output& what);
  bool take(int i, std::uint64_t byte);
  bool holds_lock(int i, std::uint64_t byte) const { return locks.count({byte, i}) > 0; }
  void write_file(int i, bool all = false);
  void end(int i);
  void fail(const std::string& text) {
    if (wrong.empty()) wrong = text;
  }
};

}  // namespace baton::instances_model
