// Between Baton's plain message and Proton's. Included by adapters only.
#pragma once

#include <proton/message.hpp>
#include <string>

#include "common/amqp/connection.hpp"
#include "common/amqp/message.hpp"
#include "common/result.hpp"

namespace proton {
class error_condition;
class sender;
class tracker;
}  // namespace proton

namespace baton::amqp {

class dialect;

// Hands the message to a link that has credit. Its delivery tag is `id`; where the link settles what it sends, it is
// settled. reply_to is the name of a queue on Baton's side and an address on the wire; priorities as the dialect says.
void send(const proton::sender& via, send_id id, const message& content, const dialect& speech);
// The id that it was sent with.
send_id sent_as(const proton::tracker& tracker);
// Never fails: what cannot be read as text stays empty, a body that is none of binary, string and map stays empty.
// `stream`: the body becomes `bulk`, which keeps what was in `from`; that is empty then.
message from_proton(proton::message& from, const dialect& speech, bool stream);

// The kind of error that a peer's condition stands for.
error to_error(const proton::error_condition& condition, const std::string& object, const dialect& speech);

}  // namespace baton::amqp
