#include "common/formats/state.hpp"

#include "common/formats/requests.hpp"
#include "test/unit/formats/record_check.hpp"

using namespace baton;
using namespace baton::formats;

TEST_CASE("a transfer record comes back as it was written") {
  transfer_request request;
  request.job = "a \"job\" with \\ in it";
  source_record sample;
  sample.transfer_id = std::string(48, 'c');
  sample.sequence = 1;
  sample.request = to_json(request);
  sample.reply_to = "temporary/1";
  sample.correlation_id = "correlation";
  sample.attempt = 2;
  sample.results_from = 3;
  sample.succeeded = 4;
  sample.failed = 5;
  sample.warnings = 6;
  sample.bytes = UINT64_MAX;
  sample.log_sequence = 7;
  sample.start_time_ms = 1795332560123;
  sample.recoveries = 8;
  test::check_record(sample, read_source_record);
  const auto again = read_source_record(to_json(sample));
  REQUIRE(again.ok());
  CHECK(again->request == to_json(request));
  CHECK(read_transfer_request(again->request)->job == request.job);
}
