#include "common/formats/instances.hpp"

#include "common/formats/lock.hpp"
#include "test/unit/formats/record_check.hpp"

using namespace baton;
using namespace baton::formats;

TEST_CASE("formats: a lock token comes back as it was") {
  test::check_record(lock_token{UINT64_MAX, 7, "run", "one", "host", 5, true, true, "1.2.3", 4}, read_lock_token);
}

TEST_CASE("formats: a standby's status comes back as it was") {
  test::check_record(instance_status{"one", "standby", "host", "1.2.3", 1, 2, 3, 4, 5, 6}, read_instance_status,
                     {"instance"});
}

TEST_CASE("formats: a takeover comes back as it was") {
  test::check_record(takeover{"A", "one", "host", 9, "two", "other", 8, true, 1, 2, 3}, read_takeover,
                     {"agentName", "instance"});
}
