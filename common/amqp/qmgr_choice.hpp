// Which queue manager of a list is tried next, and after which wait. Pure: no clock, no connection. One that was lost
// is tried once more before the others: a connection that broke is no sign that its queue manager is gone, and an
// instance that goes to another one for that would find another lock there. After that the list is gone through from
// its start, at once; between two rounds there is a wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace baton::amqp {

class qmgr_choice {
 public:
  struct options {
    std::size_t count = 1;   // of the list; at least 1
    bool randomize = false;  // the order is drawn anew for each pass through the list
    std::int64_t first_wait_ms = 100, longest_wait_ms = 30000;  // between rounds, doubled each time
    std::uint64_t seed = 1;
  };
  explicit qmgr_choice(options o);

  // The one to try, or that is connected: a place in the list.
  std::size_t current() const { return order_.front(); }
  // A connection to current() is there and works.
  void connected();
  // current() could not be reached, or was lost. Gives the wait, with jitter, before the new current() is tried; 0: at
  // once.
  std::int64_t failed();
  // The list is gone through from its start again.
  void begin_again();
  // current() is not the one that the list prefers, and one may go back to that.
  bool away() const { return !options_.randomize && current() != 0; }
  // current() was lost a moment ago and is tried a second time: that ought not to take long.
  bool second_try() const { return second_try_; }

 private:
  options options_;
  std::mt19937_64 random_;
  std::vector<std::size_t> order_;  // that are left of this pass; the first is current
  bool connected_ = false, second_try_ = false;
  int failures_ = 0;

  std::vector<std::size_t> whole_list();
};

}  // namespace baton::amqp
