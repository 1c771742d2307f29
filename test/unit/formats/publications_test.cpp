#include "common/formats/publications.hpp"

#include "test/unit/formats/record_check.hpp"

using namespace baton;
using namespace baton::formats;

namespace {

const std::string id(48, 'd');

agent_status sample_status() {
  agent_status s;
  s.agent = "SRC";
  s.description = "first";
  s.qmgr = "QM1";
  s.qmgr_host = "host.example";
  s.transport = "client";
  s.qmgr_port = 5672;
  s.status = "READY";
  s.version = "0.1.0";
  s.host = "here";
  s.os = "Linux";
  s.time_zone = "UTC";
  s.instance = "one";
  s.pid = 42;
  s.start_time_ms = 1;
  s.publish_time_ms = 2;
  s.publish_interval_ms = 3;
  s.jitter_ms = 4;
  s.max_source_transfers = 5;
  s.max_destination_transfers = 6;
  s.max_queued_transfers = 7;
  s.source_transfers = {{id, "RunningTransfer"}};
  s.destination_transfers = {{id, "RecoveringTransfer"}};
  s.queued_transfers = 8;
  s.restarts = 9;
  return s;
}

log_item sample_item(std::uint64_t number) {
  return {number, "/in/a%FF", "/out/a", 10, 11, "XXH3", "00ff", 2, "BFGTR0075W: kept", "delete", "text"};
}

log_event sample_event() {
  log_event e;
  e.transfer_id = id;
  e.action = "progress";
  e.time_ms = 1;
  e.sequence = 2;
  e.job = "JOB";
  e.originator_host = "here";
  e.originator_user = "pat";
  e.source_agent = "SRC";
  e.destination_agent = "DST";
  e.priority = 3;
  e.metadata = {{"k", "v"}};
  e.result_code = 20;
  e.supplement = "text";
  e.items_total = 4;
  e.bytes_total = 5;
  e.bytes_sent = 6;
  e.failed = 7;
  e.warnings = 8;
  e.start_time_ms = 9;
  e.retries = 10;
  e.wasted_bytes = 11;
  e.items = {sample_item(0), sample_item(1)};
  return e;
}

transfer_row sample_row() {
  transfer_row r;
  r.id = id;
  r.job = "JOB";
  r.source_agent = "SRC";
  r.destination_agent = "DST";
  r.originator_user = "pat";
  r.originator_host = "here";
  r.state = "successful";
  r.result_code = 0;
  r.supplement = "text";
  r.start_ms = 1;
  r.end_ms = 2;
  r.updated_ms = 3;
  r.items = 4;
  r.items_total = 5;
  r.failed = 6;
  r.bytes = 7;
  r.bytes_total = 8;
  r.retries = 9;
  r.wasted_bytes = 10;
  r.rate = 11;
  r.time_left_ms = 12;
  r.channel = "direct";
  r.metadata = {{"k", "v"}};
  return r;
}

}  // namespace

TEST_CASE("an agent's status comes back as it was written") {
  test::check_record(sample_status(), read_agent_status, {"agentName"});
}

TEST_CASE("a log event comes back as it was written") {
  test::check_record(sample_event(), read_log_event, {"transferId"});
  const auto written = test::json::parse(to_json(sample_event()));
  CHECK(written["items"][0].size() == test::count_members<log_item>());
}

TEST_CASE("a transfer's status comes back as it was written") {
  const transfer_status sample{
      {id, "RunningTransfer", 1, 2, 3, 4, 5, 6, "/in/a", 7, 8, 9, 10, "direct"}, "SRC", "DST", "JOB", 7};
  // It is written flat: the progress's members beside its own.
  test::check_record(sample, read_transfer_status, {"transferId"},
                     test::count_members<progress>() + test::count_members<transfer_status>() - 1);
}

TEST_CASE("a query comes back as it was written") {
  test::check_record(query{"items", "SRC*", id, true, 5, 10}, read_query);
}

TEST_CASE("an answer comes back as it was written") {
  answer sample;
  sample.result_code = 1;
  sample.text = "text";
  sample.agents = {{sample_status(), 12, "UNREACHABLE"}};
  sample.transfers = {sample_row()};
  sample.items = {sample_item(3)};
  test::check_record(sample, read_answer);
  const auto written = test::json::parse(to_json(sample));
  CHECK(written["transfers"][0].size() == test::count_members<transfer_row>());
  CHECK(written["agents"][0].size() == test::count_members<agent_row>());
  CHECK(written["agents"][0]["status"].size() == test::count_members<agent_status>());
}
