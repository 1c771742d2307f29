// Between Baton's plain message and Proton's. Included by adapters only.
#pragma once

#include <proton/message.hpp>
#include <string>

#include "common/amqp/message.hpp"
#include "common/result.hpp"

namespace proton {
class error_condition;
}

namespace baton::amqp {

class dialect;

// reply_to is the name of a queue on Baton's side and an address on the wire; priorities as the dialect says.
proton::message to_proton(message&& from, const dialect& speech);
// Never fails: what cannot be read as text stays empty, a body that is neither binary nor a string stays empty.
message from_proton(proton::message& from, const dialect& speech);

// The kind of error that a peer's condition stands for.
error to_error(const proton::error_condition& condition, const std::string& object);

}  // namespace baton::amqp
