// What differs between queue managers: how a queue is declared and removed. Nothing outside a dialect knows which kind
// of queue manager it talks to. Calls block (each with a deadline) and use a connection of their own: commands call
// them directly, daemons on a worker thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/amqp/connection.hpp"
#include "common/formats/queues.hpp"
#include "common/result.hpp"

namespace baton::amqp {

class dialect {
 public:
  virtual ~dialect() = default;
  // Makes the queues that do not exist; those that exist with other attributes are an error, errc::conflict.
  virtual status declare(const connection_options& where, const std::vector<formats::queue_declaration>& queues,
                         std::int64_t timeout_ms) const = 0;
  // Removes the queues with what is in them; those that do not exist are passed over.
  virtual status remove(const connection_options& where, const std::vector<std::string>& queues,
                        std::int64_t timeout_ms) const = 0;
  // Throws away what is in one queue; errc::not_found when it does not exist.
  virtual status purge(const connection_options& where, const std::string& queue, std::int64_t timeout_ms) const = 0;
};

// The dialect of the embedded queue manager.
const dialect& embedded_dialect();

}  // namespace baton::amqp
