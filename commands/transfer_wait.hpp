// Waiting for the end of a transfer, and showing how far it is.
#pragma once

#include <cstdint>
#include <memory>

#include "commands/workspace.hpp"
#include "common/amqp/requester.hpp"
#include "common/formats/requests.hpp"

namespace baton::commands {

// Shows progress until the last answer: a bar on a terminal, a line now and then otherwise, nothing but the result with
// `json`. When the queue manager is lost, or nothing is heard for long, the coordination service is asked how it ends.
// timeout_ms -1: for ever. Gives the transfer's result code, or 2 when the time was over first.
int wait_for_transfer(const workspace& work, std::unique_ptr<amqp::requester> conversation,
                      const formats::transfer_request& request, std::int64_t timeout_ms, bool json);

}  // namespace baton::commands
