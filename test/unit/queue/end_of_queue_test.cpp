#include "agent/queue/end_of_queue.hpp"

#include <catch2/catch.hpp>

using baton::queue::end_of_queue;
using verdict = baton::queue::end_of_queue::verdict;

TEST_CASE("end of a queue: without credit nothing can come, and that says nothing") {
  for (const bool can_ask : {false, true}) {
    end_of_queue end(can_ask, 0);
    CHECK_FALSE(end.silence_ms());
    end.granted(1);
    CHECK(end.silence_ms());
    end.came();
    CHECK_FALSE(end.silence_ms());
  }
}

TEST_CASE("end of a queue: where it cannot be asked it is a silence") {
  end_of_queue end(false, 0);
  end.granted(5);
  CHECK(end.silence_ms() == 500);
  CHECK(end.silent() == verdict::empty);
  end_of_queue longer(false, 3000);
  longer.granted(5);
  CHECK(longer.silence_ms() == 3000);
}

TEST_CASE("end of a queue: credit that comes back is a message that was not there") {
  end_of_queue end(true, 0);
  end.granted(2);
  CHECK(end.silence_ms() == 0);
  CHECK(end.silent() == verdict::ask);
  CHECK(end.asking());
  CHECK_FALSE(end.silence_ms());
  end.came();
  end.came();
  CHECK(end.drained() == verdict::go_on);  // all was used: there may be more
  CHECK_FALSE(end.asking());
  CHECK(end.credit() == 0);
  end.granted(2);
  CHECK(end.silent() == verdict::ask);
  end.came();
  CHECK(end.drained() == verdict::empty);
  CHECK(end.credit() == 0);
}

TEST_CASE("end of a queue: one that is waited on has been empty for that long") {
  end_of_queue end(true, 1000);
  end.granted(9);
  CHECK(end.silence_ms() == 1000);
  CHECK(end.silent() == verdict::ask);
  end.came();
  CHECK(end.drained() == verdict::go_on);  // not silent: the wait begins again
  end.granted(9);
  CHECK(end.silent() == verdict::ask);
  CHECK(end.drained() == verdict::empty);
}
