// The driver of the machine: feeds it what it sees in the shared folder, takes locks, claims the store, keeps the
// timer, and says in the log what happens. Loop thread only; every call may wait for the file system.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "common/loop.hpp"
#include "properties/instance_folder.hpp"
#include "qmgr/instances/machine.hpp"
#include "qmgr/store.hpp"

namespace baton::instances {

struct keeper_options {
  std::string qmgr;
  std::filesystem::path data_path;
  limits times;
  preference prefers;
};

// What the keeper asks of the process that it is in.
class role {
 public:
  virtual ~role() = default;
  // Serve from this store; where it listens. An error ends the instance.
  struct place {
    std::string address;
    std::uint16_t port = 0;
  };
  virtual result<place> serve(std::unique_ptr<qmgr::store> claimed) = 0;
  virtual void close(bool immediate) = 0;                       // then keeper::closed()
  virtual void discard() = 0;                                   // the store is closed
  virtual void cut() = 0;                                       // nothing may leave from now on
  virtual void ended(reason why, const std::string& text) = 0;  // the process ends; text: what is wrong, or empty
};

class keeper {
 public:
  keeper(event_loop& loop, keeper_options options, role& process);

  // errc::in_use: another process has this instance's name; io, not_permitted: the folder cannot be used.
  status start();
  // True: this process still is the owner of the store. Asked before anything leaves, and often while the store is
  // read, which may take longer than a lease.
  bool may_leave();
  void stop(bool all, bool immediate) { feed(event::stop{all, immediate}); }
  void closed();

 private:
  void feed(input happened);
  void set_timer();
  void perform(const action::look&);
  void perform(const action::claim& what);
  void perform(const action::serve& what);
  void perform(const action::publish&);
  void perform(const action::renew&);
  void perform(const action::reclaim&);
  void perform(const action::close& what);
  void perform(const action::release& what);
  void perform(const action::end_holder&);
  void perform(const action::say_held_back& what);
  void perform(const action::say_blocked&);
  void perform(const action::end& what);
  input try_claim(const action::claim& what);
  void begin_serving();
  bool take(std::uint64_t epoch);
  void say_role();
  void enter(formats::qmgr_instance_state state);
  std::string holder() const;  // in words

  event_loop& loop_;
  keeper_options options_;
  role& process_;
  instance_folder folder_;
  machine machine_;
  std::optional<instance_file> file_;
  std::optional<byte_lock> lock_;
  formats::qmgr_instance self_;
  instances_seen seen_;
  std::unique_ptr<qmgr::store> claimed_;
  qmgr::store* store_ = nullptr;  // while it is the active one
  std::string why_;               // of the trouble that is told next
  bool fenced_holder_ = false;
  std::string told_;  // the active one that the log has named
  std::deque<input> pending_;
  bool stepping_ = false;
  event_loop::timer_id timer_ = 0;
};

}  // namespace baton::instances
