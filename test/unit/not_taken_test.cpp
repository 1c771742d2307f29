#include <catch2/catch.hpp>

#include "agent/not_taken_notice.hpp"
#include "agent/send_watch.hpp"

using baton::agent::not_taken_notice;
using baton::agent::send_watch;

TEST_CASE("that messages are not taken is told once, and that they are again when that queue is well") {
  not_taken_notice n;
  CHECK_FALSE(n.taken("A", 0));
  CHECK(n.not_taken("A", 1000));
  CHECK_FALSE(n.not_taken("A", 2000));
  CHECK(n.told());
  CHECK_FALSE(n.taken("B", 3000));
  CHECK(n.taken("A", 3000));
  CHECK_FALSE(n.told());
  CHECK(n.not_taken("A", 4000));
}

TEST_CASE("what is taken for other queues counts after a good while") {
  not_taken_notice n;
  CHECK(n.not_taken("A", 1000));
  CHECK_FALSE(n.taken("B", 30999));
  CHECK(n.taken("B", 31000));
}

TEST_CASE("a message that is not answered for in time is overdue, and looked for at the right moment") {
  send_watch w(1000);
  CHECK_FALSE(w.look_in_ms(0));
  w.sent(1, "A", 0);
  w.sent(2, "B", 400);
  CHECK(w.look_in_ms(100) == 900);
  CHECK_FALSE(w.overdue(999));
  CHECK(w.overdue(1000) == "A");
  CHECK(w.look_in_ms(1000) == 1000);
  CHECK(w.answered(1) == "A");
  CHECK_FALSE(w.answered(1));
  CHECK_FALSE(w.overdue(1399));
  CHECK(w.overdue(1400) == "B");
  w.forget("B");
  CHECK_FALSE(w.overdue(9000));
}
