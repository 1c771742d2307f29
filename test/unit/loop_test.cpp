#include "common/loop.hpp"

#include <catch2/catch.hpp>
#include <thread>
#include <vector>

using namespace baton;

TEST_CASE("posted tasks run in order on the loop") {
  event_loop loop;
  std::vector<int> ran;
  for (int i = 0; i < 5; ++i) loop.post([&ran, i] { ran.push_back(i); });
  loop.post([&loop] { loop.stop(); });
  loop.run();
  CHECK(ran == std::vector<int>{0, 1, 2, 3, 4});
}

TEST_CASE("tasks of several threads all run on one") {
  event_loop loop;
  constexpr int threads = 4, each = 1000;
  int ran = 0;  // without a lock: only the loop's thread touches it
  std::vector<std::thread> posters;
  for (int t = 0; t < threads; ++t) {
    posters.emplace_back([&] {
      for (int i = 0; i < each; ++i) loop.post([&ran] { ++ran; });
    });
  }
  CHECK(loop.run_until([&] { return ran == threads * each; }, 30000));
  for (auto& poster : posters) poster.join();
  CHECK(ran == threads * each);
}

TEST_CASE("timers run by their deadline and not before") {
  event_loop loop;
  std::vector<int> ran;
  const std::int64_t start = boot_time_ms();
  std::int64_t late_at = 0;
  loop.after(20, [&] {
    ran.push_back(20);
    late_at = boot_time_ms();
    loop.stop();
  });
  loop.after(5, [&] { ran.push_back(5); });
  loop.after(0, [&] { ran.push_back(0); });
  loop.run();
  CHECK(ran == std::vector<int>{0, 5, 20});
  CHECK(late_at - start >= 20);
}

TEST_CASE("timers of one deadline run in the order of their making") {
  event_loop loop;
  std::vector<int> ran;
  for (int i = 0; i < 10; ++i) loop.after(0, [&ran, i] { ran.push_back(i); });
  CHECK(loop.run_until([&] { return ran.size() == 10; }, 10000));
  CHECK(std::is_sorted(ran.begin(), ran.end()));
}

TEST_CASE("a cancelled timer does not run") {
  event_loop loop;
  bool ran = false;
  const auto timer = loop.after(0, [&] { ran = true; });
  loop.cancel(timer);
  loop.cancel(timer);
  loop.cancel(0);
  loop.after(1, [&loop] { loop.stop(); });
  loop.run();
  CHECK_FALSE(ran);
}

TEST_CASE("a timer may cancel itself and set another one") {
  event_loop loop;
  int ran = 0;
  event_loop::timer_id own = 0;
  own = loop.after(0, [&] {
    loop.cancel(own);
    ++ran;
    loop.after(0, [&] { ++ran; });
  });
  CHECK(loop.run_until([&] { return ran == 2; }, 10000));
}

TEST_CASE("tasks posted after stop are dropped") {
  event_loop loop;
  bool ran = false;
  loop.stop();
  loop.post([&] { ran = true; });
  loop.run();
  CHECK_FALSE(ran);
}

TEST_CASE("run_until gives up when its time is over") {
  event_loop loop;
  CHECK_FALSE(loop.run_until([] { return false; }, 1));
  CHECK(loop.run_until([] { return true; }, 0));
}

TEST_CASE("what a task holds is released before the next task") {
  event_loop loop;
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = held;
  bool gone = false;
  loop.post([held] { (void)held; });
  held.reset();
  loop.post([&] {
    gone = watch.expired();
    loop.stop();
  });
  loop.run();
  CHECK(gone);
}
