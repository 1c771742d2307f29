#include "common/formats/transfer.hpp"

#include "test/unit/formats/record_check.hpp"

using namespace baton;
using namespace baton::formats;

namespace {
const std::string id(48, 'b');
}

TEST_CASE("a negotiation comes back as it was written") {
  negotiate sample;
  sample.transfer_id = id;
  sample.source_agent = "SRC";
  sample.job = "JOB";
  sample.epoch = 1;
  sample.attempt = 2;
  sample.items_total = 3;
  sample.bytes_total = UINT64_MAX;
  sample.results_from = 4;
  sample.chunk_bytes = UINT32_MAX;
  sample.window_frames = 5;
  test::check_record(sample, read_negotiate);
  CHECK(read_negotiate(to_json(sample))->chunk_bytes == UINT32_MAX);
}

TEST_CASE("a negotiation answer comes back as it was written") {
  const negotiated sample{id,     1, "run", 2, 45,      "BFGTR0018E: full",
                          {3, 4}, 5, 6,     7, "rival", {"host", 4711, std::string(64, 'c'), true, "machine"}};
  test::check_record(sample, read_negotiated);
  const auto again = read_negotiated(to_json(sample));
  CHECK(again->from == position{3, 4});
  CHECK(again->window_frames == 6);
}

TEST_CASE("an acknowledgement comes back as it was written") {
  const ack sample{
      id,    1, "run", 2, 3, {4, 5}, {{6, 0, "", "00ff"}, {7, 1, "BFGIO0001E: gone", ""}}, true, halt_reason::no_room,
      "full"};
  test::check_record(sample, read_ack);
  const auto again = read_ack(to_json(sample));
  REQUIRE(again->results.size() == 2);
  CHECK(again->results[1].number == 7);
  CHECK(again->results[1].result_code == 1);
  CHECK(again->results[0].checksum == "00ff");
  CHECK(again->complete);
}

TEST_CASE("the end of a transfer comes back as it was written") {
  test::check_record(finish{id, 1, "run", 2, "cancelled", "SRC", {"/out/\xFF"}}, read_finish);
}

TEST_CASE("positions are ordered by item and then by offset") {
  CHECK(position{1, 9} < position{2, 0});
  CHECK(position{2, 0} < position{2, 1});
  CHECK(position{2, 1} == position{2, 1});
}
