#include "common/worker_pool.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>

using namespace baton;

TEST_CASE("a job's result runs on the loop's thread") {
  event_loop loop;
  worker_pool pool(loop, 2);
  const auto here = std::this_thread::get_id();
  std::thread::id worked, finished;
  pool.submit([&]() -> std::function<void()> {
    worked = std::this_thread::get_id();
    return [&] { finished = std::this_thread::get_id(); };
  });
  REQUIRE(loop.run_until([&] { return finished != std::thread::id(); }, 10000));
  CHECK(finished == here);
  CHECK(worked != here);
}

TEST_CASE("many jobs all come back") {
  event_loop loop;
  worker_pool pool(loop, 4);
  int back = 0;
  for (int i = 0; i < 1000; ++i) {
    pool.submit([&back]() -> std::function<void()> { return [&back] { ++back; }; });
  }
  CHECK(loop.run_until([&] { return back == 1000; }, 30000));
}

TEST_CASE("jobs run beside each other on as many threads as were asked for") {
  event_loop loop;
  worker_pool pool(loop, 2);
  std::promise<void> first, second;
  int back = 0;
  // Each waits for the other: with one thread this would never end.
  pool.submit([&]() -> std::function<void()> {
    first.set_value();
    second.get_future().wait();
    return [&back] { ++back; };
  });
  pool.submit([&]() -> std::function<void()> {
    second.set_value();
    first.get_future().wait();
    return [&back] { ++back; };
  });
  CHECK(loop.run_until([&] { return back == 2; }, 10000));
}

TEST_CASE("the end of a pool waits for the job under way and drops the others") {
  event_loop loop;
  std::atomic<int> begun{0}, ended{0};
  {
    worker_pool pool(loop, 1);
    std::promise<void> under_way;
    pool.submit([&]() -> std::function<void()> {
      ++begun;
      under_way.set_value();
      ++ended;
      return nullptr;
    });
    under_way.get_future().wait();
    for (int i = 0; i < 3; ++i) {
      pool.submit([&]() -> std::function<void()> {
        ++begun;
        ++ended;
        return nullptr;
      });
    }
  }
  CHECK(begun == ended);
  CHECK(begun >= 1);
}
