// Whether a queue manager answers. Blocks, at most so long, on a loop of its own; not on an event loop's thread.
#pragma once

#include <cstdint>

#include "common/amqp/connection.hpp"
#include "common/result.hpp"

namespace baton::amqp {

// Opens a connection and closes it again. Errors: errc::unreachable, not_permitted, timed_out.
status answers(const connection_options& where, std::int64_t timeout_ms);

}  // namespace baton::amqp
