#include "common/formats/requests.hpp"

#include <functional>

#include "test/unit/formats/record_check.hpp"

using namespace baton;
using namespace baton::formats;

namespace {

const std::string id(48, 'a');

transfer_request sample_request() {
  transfer_request r;
  r.id = id;
  r.job = "NIGHTLY";
  r.originator_host = "host.example";
  r.originator_user = "pat";
  r.source_agent = "SRC";
  r.source_qmgr = "QM1";
  r.destination_agent = "DST";
  r.destination_qmgr = "QM2";
  r.priority = 9;
  r.recovery_timeout_s = -1;
  r.bandwidth = 12345678901;
  r.metadata = {{"key", "value"}, {"empty", ""}};
  r.wait = true;
  transfer_spec spec;
  spec.source = "/in/\xFF*.txt";
  spec.recursive = true;
  spec.source_disposition = disposition::remove;
  spec.destination = "/out/100%";
  spec.kind = destination_kind::directory;
  spec.exist = exist_action::overwrite;
  spec.mode = file_mode::text;
  spec.checksum = checksum_kind::sha256;
  r.specs = {spec, transfer_spec{}};
  return r;
}

transfer_request sample_request_with(const std::function<void(transfer_request&)>& change) {
  auto r = sample_request();
  r.specs[1] = r.specs[0];
  r.pre_source.command = "before";
  r.post_source.command = "behind";
  change(r);
  return r;
}

}  // namespace

TEST_CASE("a transfer request comes back as it was written") {
  test::check_record(sample_request(), read_transfer_request);
  const auto again = read_transfer_request(to_json(sample_request()));
  CHECK(again->id == id);
  CHECK(again->recovery_timeout_s == -1);
  REQUIRE(again->specs.size() == 2);
  const auto& spec = again->specs[0];
  CHECK(spec.source == "/in/\xFF*.txt");
  CHECK(spec.destination == "/out/100%");
  CHECK(spec.recursive);
  CHECK(spec.source_disposition == disposition::remove);
  CHECK(spec.kind == destination_kind::directory);
  CHECK(spec.exist == exist_action::overwrite);
  CHECK(spec.mode == file_mode::text);
  CHECK(spec.checksum == checksum_kind::sha256);
  CHECK(test::json::parse(to_json(*again))["specs"][0].size() == test::count_members<transfer_spec>());
}

TEST_CASE("what a request must not say is named, whoever wrote it") {
  CHECK(check(sample_request_with([](transfer_request&) {})).ok());
  const auto fault = [](const std::function<void(transfer_request&)>& change) {
    const auto found = check(sample_request_with(change));
    REQUIRE_FALSE(found.ok());
    CHECK(found.error().code == errc::bad_message);
    return found.error().text;
  };
  const auto names = [](const std::string& word) { return Catch::Contains(word); };
  CHECK_THAT(fault([](auto& r) { r.id = "x"; }), names("id: "));
  CHECK_THAT(fault([](auto& r) { r.destination_agent.clear(); }), names("destinationAgent"));
  CHECK_THAT(fault([](auto& r) { r.specs.clear(); }), names("specs"));
  CHECK_THAT(fault([](auto& r) { r.specs[0].source.clear(); }), names("specs"));
  CHECK_THAT(fault([](auto& r) { r.specs[0].source = std::string("/a\0/b", 5); }), names("zero byte"));
  for (const int priority : {-1, 10}) CHECK_THAT(fault([&](auto& r) { r.priority = priority; }), names("priority"));
  for (const std::int64_t seconds : {INT64_MIN, std::int64_t{-3}, recovery_timeout_s_max + 1, INT64_MAX}) {
    CHECK_THAT(fault([&](auto& r) { r.recovery_timeout_s = seconds; }), names("recoveryTimeout"));
  }
  for (const std::int64_t seconds : {INT64_MIN, std::int64_t{-1}, retry_wait_s_max + 1, INT64_MAX}) {
    CHECK_THAT(fault([&](auto& r) { r.pre_source.retry_wait_s = seconds; }), names("preSource: retryWait"));
    CHECK_THAT(fault([&](auto& r) { r.post_source.retry_wait_s = seconds; }), names("postSource: retryWait"));
  }
  for (const int count : {-1, retry_count_max + 1}) {
    CHECK_THAT(fault([&](auto& r) { r.post_source.retry_count = count; }), names("postSource: retryCount"));
  }
  CHECK_THAT(fault([](auto& r) { r.pre_source.success = "0|"; }), names("preSource: "));
  CHECK_THAT(fault([](auto& r) { r.pre_source.command = std::string("a\0b", 3); }), names("zero byte"));
  CHECK_THAT(fault([](auto& r) { r.post_source.arguments = {"x", std::string("a\0", 2)}; }), names("zero byte"));
}

TEST_CASE("a name with a broken escape is refused by its path") {
  auto changed = test::json::parse(to_json(sample_request()));
  changed["specs"][1]["source"] = "50%";
  const auto refused = read_transfer_request(changed.dump());
  REQUIRE_FALSE(refused.ok());
  CHECK_THAT(refused.error().text, Catch::Contains("/specs/1/source: expected a file name"));
}

TEST_CASE("an unknown word is refused with the known ones") {
  auto changed = test::json::parse(to_json(sample_request()));
  changed["specs"][0]["checksumMethod"] = "CRC";
  const auto refused = read_transfer_request(changed.dump());
  REQUIRE_FALSE(refused.ok());
  CHECK_THAT(refused.error().text,
             Catch::Contains("/specs/0/checksumMethod: expected one of none, MD5, SHA-256, XXH3"));
}

TEST_CASE("every word of an enumeration is read as it is written") {
  for (const auto kind : {checksum_kind::none, checksum_kind::md5, checksum_kind::sha256, checksum_kind::xxh3}) {
    CHECK(checksum_from(to_string(kind)) == kind);
  }
  CHECK(checksum_from("md5") == checksum_kind::md5);
  CHECK(checksum_from("sha-256") == checksum_kind::sha256);
  CHECK_FALSE(checksum_from("").has_value());
  CHECK(to_string(file_mode::binary) == "binary");
  CHECK(to_string(file_mode::text) == "text");
  CHECK(to_string(disposition::remove) == "delete");
  CHECK(to_string(disposition::leave) == "leave");
  CHECK(to_string(exist_action::error) == "error");
  CHECK(to_string(exist_action::overwrite) == "overwrite");
}

TEST_CASE("a cancel request comes back as it was written") {
  test::check_record(cancel_request{id}, read_cancel_request);
}

TEST_CASE("a stop request comes back as it was written") {
  test::check_record(stop_request{true, "one"}, read_stop_request);
}

TEST_CASE("a reply comes back as it was written") {
  const reply sample{20, "BFGRP0033I: \xC3\xA4 \"quoted\"\n", id, 1, 2, UINT64_MAX, 1234, 5, 6, {{"version", "0.1"}}};
  test::check_record(sample, read_reply);
  CHECK(read_reply(to_json(sample))->bytes == UINT64_MAX);
}

TEST_CASE("a text that is not UTF-8 does not stop a reply") {
  const auto again = read_reply(to_json(reply{1, "bad \xFF byte", "", 0, 0, 0, 0, 0, 0, {}}));
  REQUIRE(again.ok());
  CHECK_THAT(again->text, Catch::StartsWith("bad "));
}

TEST_CASE("progress comes back as it was written") {
  test::check_record(progress{id, "RunningTransfer", 1, 2, 3, 4, 5, 6, "/in/a", 7, 8, 9, 10, "direct"}, read_progress);
}
