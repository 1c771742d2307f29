#include <catch2/catch.hpp>

#include "common/formats/instances.hpp"
#include "common/formats/lock.hpp"

using namespace baton;

TEST_CASE("formats: a lock token comes back as it was") {
  formats::lock_token t;
  t.epoch = UINT64_MAX;
  t.sequence = 7;
  t.run = "run";
  t.instance = "one";
  t.host = "host";
  t.renewed_ms = 5;
  t.released = true;
  t.version = "1.2.3";
  t.format = 4;
  const auto read = formats::read_lock_token(to_json(t));
  REQUIRE(read);
  CHECK(to_json(*read) == to_json(t));
  CHECK(read->epoch == UINT64_MAX);
  CHECK(read->released);
  CHECK(read->format == 4);
  CHECK_FALSE(formats::read_lock_token("{\"epoch\": -1}"));
  CHECK_FALSE(formats::read_lock_token("x"));
}

TEST_CASE("formats: a standby's status and a takeover come back as they were") {
  formats::instance_status s;
  s.name = "one";
  s.role = "standby";
  s.host = "h";
  s.version = "v";
  s.pid = 1;
  s.priority = 2;
  s.format = 3;
  s.epoch = 4;
  s.since_ms = 5;
  s.silent_ms = 6;
  const auto status = formats::read_instance_status(to_json(s));
  REQUIRE(status);
  CHECK(to_json(*status) == to_json(s));
  formats::takeover t;
  t.agent = "A";
  t.instance = "one";
  t.host = "h";
  t.epoch = 9;
  t.previous_instance = "two";
  t.previous_host = "i";
  t.previous_epoch = 8;
  t.clean = true;
  t.time_ms = 1;
  t.duration_ms = 2;
  t.outage_ms = 3;
  const auto event = formats::read_takeover(to_json(t));
  REQUIRE(event);
  CHECK(to_json(*event) == to_json(t));
  CHECK(event->clean);
  CHECK(event->outage_ms == 3);
}
