// Waiting for the end of a transfer, and showing how far it is.
#pragma once

#include <cstdint>

#include "common/amqp/requester.hpp"
#include "common/formats/requests.hpp"

namespace baton::commands {

// Shows progress until the last answer: a bar on a terminal, a line now and then otherwise, nothing but the result with
// `json`. timeout_ms -1: for ever. Gives the transfer's result code, or 2 when the time was over first.
int wait_for_transfer(amqp::requester& conversation, const formats::transfer_request& request, std::int64_t timeout_ms,
                      bool json);

}  // namespace baton::commands
