#include "common/formats/state.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "common/formats/frame.hpp"
#include "common/formats/requests.hpp"
#include "test/unit/seed.hpp"

using namespace baton;
using namespace baton::formats;

namespace {

const std::string id(48, 'c');

source_record source_sample() {
  transfer_request request;
  request.job = "a \"job\" with \\ in it";
  source_record sample;
  sample.transfer_id = id;
  sample.sequence = 1;
  sample.epoch = 9;
  sample.request = to_json(request);
  sample.reply_to = "temporary/1";
  sample.correlation_id = "correlation";
  sample.attempt = 2;
  sample.results_from = 3;
  sample.done = {5, 6};
  sample.deleting = {{4, 10, 11, UINT64_MAX, -12, 13, "00ff"}};
  sample.bytes = UINT64_MAX;
  sample.planned = true;
  sample.plan_parts = 2;
  sample.plan_check = "0123456789abcdef";
  sample.peer_epoch = 7;
  sample.peer_run = "run";
  return sample;
}

destination_record destination_sample() {
  destination_record sample;
  sample.transfer_id = id;
  sample.sequence = 1;
  sample.epoch = 2;
  sample.terms.transfer_id = id;
  sample.terms.source_agent = "SRC";
  sample.terms.epoch = 3;
  sample.terms.run = "run";
  sample.durable = {4, 5};
  sample.path = "/in/bad\xFFname\n%41";
  sample.part = sample.path + ".part";
  sample.size = 6;
  sample.modified_s = -7;
  return sample;
}

}  // namespace

TEST_CASE("a record of a sent transfer comes back as it was written") {
  const auto sample = source_sample();
  const auto again = read_source_record(to_json(sample));
  REQUIRE(again.ok());
  CHECK(to_json(*again) == to_json(sample));
  CHECK(again->done == sample.done);
  REQUIRE(again->deleting.size() == 1);
  CHECK(again->deleting[0].inode == UINT64_MAX);
  CHECK(again->deleting[0].modified_s == -12);
  CHECK(read_transfer_request(again->request)->job == "a \"job\" with \\ in it");
}

TEST_CASE("a record of a received transfer comes back as it was written") {
  const auto sample = destination_sample();
  const auto again = read_destination_record(to_json(sample));
  REQUIRE(again.ok());
  CHECK(to_json(*again) == to_json(sample));
  CHECK(again->path == sample.path);
  CHECK(again->part == sample.part);
  CHECK(again->durable == sample.durable);
  CHECK(again->terms.run == "run");
}

TEST_CASE("a record with any damage is refused") {
  BATON_SEEDED(random);
  for (const std::string& whole : {to_json(source_sample()), to_json(destination_sample())}) {
    const bool source = whole.find("\"request\"") != std::string::npos;
    const auto reads = [&](const std::string& text) {
      return source ? read_source_record(text).ok() : read_destination_record(text).ok();
    };
    REQUIRE(reads(whole));
    for (std::size_t size = 0; size < whole.size(); ++size) REQUIRE_FALSE(reads(whole.substr(0, size)));
    for (int i = 0; i < 2000; ++i) {
      const std::string other = test::mutated(random, whole);
      INFO(other);
      // A change between members, of white space, changes nothing.
      if (reads(other)) CHECK(nlohmann::json::parse(other) == nlohmann::json::parse(whole));
    }
    auto changed = nlohmann::json::parse(whole);
    changed["sequence"] = 99;
    CHECK_FALSE(reads(changed.dump()));
    changed.erase("check");
    CHECK_FALSE(reads(changed.dump()));
  }
}

TEST_CASE("a part of a plan comes back as it was written and not with damage") {
  const std::string full(plan_part_bytes, 'p');
  for (const auto& sample : {plan_part{id, 17, 0, 2, full}, plan_part{id, 17, 1, 2, "rest"}}) {
    const std::string bytes = to_bytes(sample);
    const auto again = read_plan_part(bytes);
    REQUIRE(again.ok());
    CHECK(again->transfer_id == id);
    CHECK(again->plan_check == 17);
    CHECK(again->number == sample.number);
    CHECK(again->count == 2);
    CHECK(again->packed == sample.packed);
    for (std::size_t at = 0; at < bytes.size(); at += 1 + bytes.size() / 300) {
      auto other = bytes;
      other[at] ^= 1;
      CHECK_FALSE(read_plan_part(other).ok());
      CHECK_FALSE(read_plan_part(std::string_view(bytes).substr(0, at)).ok());
    }
  }
  CHECK_FALSE(read_plan_part(to_bytes({id, 17, 2, 2, full})).ok());
}

TEST_CASE("a part of a plan is packed and unpacked, and what is none is refused") {
  std::string names;
  for (int i = 0; names.size() + 100 < plan_part_bytes; ++i) names += "/some/directory/file" + std::to_string(i);
  for (const auto& bytes : {names, std::string("x"), std::string(plan_part_bytes, 'p')}) {
    const auto packed = pack_plan(bytes);
    const auto again = unpack_plan(packed);
    REQUIRE(again.ok());
    CHECK(*again == bytes);
    CHECK_FALSE(unpack_plan(std::string_view(packed).substr(0, packed.size() / 2)).ok());
  }
  CHECK(pack_plan(names).size() < names.size() / 4);
  CHECK_FALSE(unpack_plan("").ok());
  CHECK_FALSE(unpack_plan("not packed at all").ok());
  CHECK_FALSE(unpack_plan(pack_plan(std::string(plan_part_bytes + 1, 'p'))).ok());
}
