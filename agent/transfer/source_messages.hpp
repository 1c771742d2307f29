// What a source asks its destination agent, as messages to its COMMAND queue. Loop thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/transfer/plan.hpp"
#include "agent/transfer/services.hpp"
#include "common/formats/transfer.hpp"

namespace baton::transfer {

// What tells one question from those before it: the epoch of this agent when it was asked, and its number.
struct asked {
  std::uint64_t epoch = 0, attempt = 0;
};

// The newest activation of the destination, when an older one has answered.
struct seen_peer {
  std::uint64_t epoch = 0;
  std::string run;
};

// To take the transfer, or to go on with it. It is of no use any more when the answer would come too late.
void send_negotiate(services& agent, const formats::transfer_request& request, const asked& now,
                    const plan_totals& totals, std::uint64_t results_from, bool again, const seen_peer& seen);
// Whether the destination still knows of the transfer, good for `good_for_ms`.
void send_query(services& agent, const formats::transfer_request& request, const asked& now, std::int64_t good_for_ms);
// The transfer is over. `directories`: see formats::finish.
void send_finish(services& agent, const formats::transfer_request& request, const asked& now, std::string_view how,
                 std::vector<std::string> directories);

}  // namespace baton::transfer
