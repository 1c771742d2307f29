// The messages of one transfer: collected into a file, held until the destination has that file on stable storage, and
// taken off the queue then. When they are lost on the way, with a connection or with an activation, they are on the
// queue again, at their old places, and are recognised there. Loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/queue/end_of_queue.hpp"
#include "agent/queue/groups.hpp"
#include "agent/queue/intake.hpp"
#include "agent/queue/machine.hpp"
#include "agent/queue/spool.hpp"
#include "agent/queue/subscriber.hpp"

namespace baton::queue {

struct source_options {
  std::string transfer_id;
  std::string file;  // path of the spool
  formats::checksum_kind checksum = formats::checksum_kind::xxh3;
  intake_limits limits;
  std::int64_t wait_ms = 0;    // an empty queue is waited on for so long
  std::string before, behind;  // each message
  bool group = false;          // of all messages only the first group that is complete
};

struct collected {
  std::string identities;  // see intake
  spooled file;
  bool more = false;  // a limit was met
};

class queue_source : public std::enable_shared_from_this<queue_source> {
 public:
  struct handlers {
    std::function<void(const collected&)> collected;
    std::function<void()> found;  // by look_for()
    // A rendered message. Nothing was taken off, unless taking() had begun and nobody is known to have overtaken it.
    std::function<void(const std::string&, bool overtaken)> failed;
    // They are about to be taken off: makes that durable, and calls what it is given then.
    std::function<void(std::function<void()>)> taking;
    std::function<void()> taken;  // none of them can come again
  };
  queue_source(event_loop& loop, worker_pool& pool, std::shared_ptr<subscriber> from, source_options options,
               handlers to);
  ~queue_source() { stop(); }

  void collect();
  // Those of an earlier activation. `taken`: it had begun to take them off, so they may be gone. `make_file`: the spool
  // is missing, and is made again.
  void look_for(std::string identities, bool taken, bool make_file);
  // The destination has them: behind collected() or found(), once.
  void take_off();
  // Gives back what is held; nothing is called any more.
  void stop();

 private:
  // One that is held until it is known whether it is of the group, or which place it has there.
  struct candidate {
    amqp::delivery_id delivery = 0;
    std::string identity, body;
  };
  void happen(const input& what);
  void act(action what);
  void act(end_of_queue::verdict what);
  void join();
  bool receives() const { return machine_.now() == state::collecting || machine_.now() == state::looking; }
  void begun();
  void make_file();
  void receive();
  void grant();
  void received(amqp::delivery_id delivery, amqp::message&& content);
  void unfit(const std::string& why);
  void alien();
  void add(amqp::delivery_id delivery, std::string_view body);
  void consider(amqp::delivery_id delivery, amqp::message&& content);
  void await_silence();
  void drained();
  void enough();
  void write();
  void tell_collected();
  void announce();
  void record();
  void settle();
  void finish();
  void forget();
  intake looking(std::string identities) const;
  void fail(const std::string& text, bool overtaken = false);

  event_loop& loop_;
  worker_pool& pool_;
  const std::shared_ptr<subscriber> from_;
  const source_options options_;
  handlers to_;
  machine machine_;
  intake intake_;
  std::vector<amqp::delivery_id> held_;
  std::shared_ptr<spool> spool_;
  spooled file_;  // what was written last
  groups groups_;
  std::vector<candidate> candidates_;  // of a group, while messages are collected
  std::uint64_t candidate_bytes_ = 0;
  std::map<std::uint64_t, candidate> members_;  // of the group, by their places
  bool more_ = false;
  std::string trouble_;  // with the queue, or with the last message
  end_of_queue end_;
  std::uint64_t unwritten_ = 0;  // messages that the spool has not written yet
  std::uint64_t aliens_ = 0;
  int task_ = 0;
  event_loop::timer_id silence_ = 0;
};

}  // namespace baton::queue
