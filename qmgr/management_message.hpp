// Requests and replies of $management as AMQP messages: the only messages that the queue manager decodes. Proton's
// codec only, no connection: any thread.
#pragma once

#include <proton/message_id.hpp>

#include <string>
#include <string_view>

#include "common/result.hpp"
#include "qmgr/payload.hpp"

namespace baton::qmgr {

struct management_request {
  std::string operation;
  std::string queue;
  std::string body;                // JSON text, may be empty
  std::string reply_to;            // empty: nobody wants an answer
  proton::message_id correlation;  // its correlation id, else its message id
};

struct management_reply {
  int status = 200;
  std::string description;
  std::string body;  // JSON text
};

// errc::bad_message when the bytes are no message, or one whose body is neither text nor bytes. What could be read
// before that (reply_to, correlation) is in `request`, so that the peer can be told.
status read_request(std::string_view bytes, management_request& request);

payload_ptr write_reply(const management_request& request, const management_reply& reply);

}  // namespace baton::qmgr
