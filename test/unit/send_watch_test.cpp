#include "agent/send_watch.hpp"

#include <catch2/catch.hpp>

using baton::agent::send_watch;

TEST_CASE("a message that is not answered in time is overdue, and the oldest one counts") {
  send_watch watch(2000);
  CHECK_FALSE(watch.look_in_ms(0).has_value());
  watch.sent(1, "A", 1000);
  watch.sent(2, "B", 1500);
  CHECK(watch.look_in_ms(1600) == 1400);
  CHECK_FALSE(watch.overdue(2999).has_value());
  CHECK(watch.overdue(3000) == "A");
  CHECK(watch.look_in_ms(3000) == 2000);  // told again and again, and not all the time
  CHECK(watch.answered(1) == "A");
  CHECK_FALSE(watch.answered(1).has_value());
  CHECK_FALSE(watch.overdue(3000).has_value());
  CHECK(watch.overdue(3500) == "B");
}

TEST_CASE("what was sent to a queue whose link is lost is not waited for") {
  send_watch watch(2000);
  watch.sent(1, "A", 0);
  watch.sent(2, "B", 10);
  watch.sent(3, "A", 20);
  watch.forget("A");
  CHECK(watch.overdue(5000) == "B");
  watch.forget("B");
  CHECK_FALSE(watch.overdue(5000).has_value());
  CHECK_FALSE(watch.look_in_ms(5000).has_value());
}
