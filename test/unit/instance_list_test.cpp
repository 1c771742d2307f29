#include <catch2/catch.hpp>

#include <limits>

#include "agent/instance_list.hpp"

using namespace baton;
using agent::instance_list;
using change = instance_list::change;

namespace {

formats::instance_status standby(const std::string& name, int pid = 1) {
  formats::instance_status s;
  s.name = name;
  s.role = "standby";
  s.host = "host of " + name;
  s.pid = pid;
  return s;
}

}  // namespace

TEST_CASE("instances: only what differs is a change") {
  instance_list list(600000);
  CHECK(list.merge(standby("two"), 0) == change::joined);
  CHECK(list.merge(standby("two"), 1000) == change::none);
  CHECK(list.merge(standby("two", 2), 2000) == change::changed);
  CHECK(list.merge(standby("three"), 2000) == change::joined);
  auto gone = standby("two", 2);
  gone.role = "ended";
  CHECK(list.merge(gone, 3000) == change::ended);
  CHECK(list.merge(gone, 3000) == change::none);
  REQUIRE(list.snapshot(5000).size() == 1);
  CHECK(list.snapshot(5000)[0].name == "three");
  CHECK(list.snapshot(5000)[0].silent_ms == 3000);
}

TEST_CASE("instances: who is silent for the discard time goes, and not a moment before") {
  instance_list list(600);
  CHECK(list.expires_ms() == std::numeric_limits<std::int64_t>::max());
  list.merge(standby("two"), 100);
  list.merge(standby("three"), 200);
  CHECK(list.expires_ms() == 700);
  CHECK(list.expire(699).empty());
  const auto gone = list.expire(700);
  REQUIRE(gone.size() == 1);
  CHECK(gone[0].name == "two");
  // One that is heard again in time stays, whatever the clock of its host says.
  auto late = standby("three");
  late.since_ms = -5;
  list.merge(late, 799);
  CHECK(list.expire(1398).empty());
  CHECK(list.expire(1399).size() == 1);
}
