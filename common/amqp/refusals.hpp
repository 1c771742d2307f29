// What a refusal of the queue manager asks people to do. Adapter only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/amqp/connection.hpp"
#include "common/result.hpp"

namespace baton::amqp {

// Which side of a connection was refused: all of it, or a link to one queue.
enum class refused { connection, queue };

// The error with advice at its end, where there is any. Pure.
error with_advice(error why, refused what, const endpoint& peer);

// Whether Proton says that it does not trust the peer's certificate. It does not say why.
bool is_certificate_refused(std::string_view text);
// Looks at the peer's certificate again, to say why it is not trusted and what to do; empty when it cannot be found
// out. Blocks up to the timeout; any thread.
std::string certificate_fault(const endpoint& peer, std::int64_t timeout_ms);

// The kind of queue manager by the product that it names when it opens a connection; what is not known to be of another
// kind is taken for the kind that is asked for. Not done: errc::bad_property, with the property to change.
status check_product(std::string_view product, const endpoint& peer);

}  // namespace baton::amqp
