#include "agent/fail_back.hpp"

#include <catch2/catch.hpp>

using namespace baton;
using agent::fail_back;
using agent::instance_list;

namespace {

formats::instance_status standby(const std::string& name, int priority, int pid = 1) {
  formats::instance_status s;
  s.name = name;
  s.role = "standby";
  s.priority = priority;
  s.pid = pid;
  return s;
}

}  // namespace

TEST_CASE("fail back: to the most preferred of those that have been well for the delay") {
  instance_list list(600000);
  const fail_back decides(true, 10000, 100);
  list.merge(standby("better", 110), 0);
  list.merge(standby("best", 127), 0);
  list.merge(standby("worse", 50), 0);
  list.merge(standby("same", 100), 0);
  CHECK_FALSE(decides.due(list, 9999));
  for (const char* name : {"better", "best"}) list.merge(standby(name, std::string(name) == "best" ? 127 : 110), 9000);
  const auto to = decides.due(list, 10000);
  REQUIRE(to);
  CHECK(to->name == "best");
}

TEST_CASE("fail back: not to one that is silent, nor to one that has just started anew") {
  instance_list list(600000);
  const fail_back decides(true, 10000, 100);
  list.merge(standby("best", 127), 0);
  CHECK_FALSE(decides.due(list, 10000));  // it would have told in the meantime
  list.merge(standby("best", 127), 9000);
  CHECK(decides.due(list, 10000));
  list.merge(standby("best", 127, 2), 9500);
  CHECK_FALSE(decides.due(list, 10000));
}

TEST_CASE("fail back: not without the property") {
  instance_list list(600000);
  list.merge(standby("best", 127), 0);
  CHECK_FALSE(fail_back(false, 0, 100).due(list, 0));
  CHECK(fail_back(true, 0, 100).due(list, 0));
}

TEST_CASE("fail back: each time that nobody took the lock it waits longer") {
  instance_list list(600000);
  fail_back decides(true, 0, 100);
  list.merge(standby("best", 127), 0);
  CHECK(decides.due(list, 0));
  decides.active(true);
  CHECK_FALSE(decides.due(list, 1999));
  list.merge(standby("best", 127), 1500);
  CHECK(decides.due(list, 2000));
  decides.active(true);
  CHECK_FALSE(decides.due(list, 2000));
  decides.active(false);
  CHECK(decides.due(list, 2000));
}
