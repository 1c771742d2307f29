// Whether a queue manager answers: a connection is opened, and closed again.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "common/amqp/connection.hpp"
#include "common/result.hpp"

namespace baton::amqp {

// Loop thread; `done` is called once, from the loop, unless the object is destroyed before. Errors: errc::unreachable,
// not_permitted, timed_out.
class probe : public connection_events {
 public:
  probe(event_loop& loop, connection_options where, std::int64_t timeout_ms, std::function<void(const status&)> done);

 private:
  void connection_opened() override { tell(done()); }
  void connection_lost(const error& why) override { tell(why); }
  void tell(status how);

  event_loop& loop_;
  std::function<void(const status&)> done_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<connection> trial_;
};

// The same for whoever may block, on a loop of its own; not on an event loop's thread.
status answers(const connection_options& where, std::int64_t timeout_ms);

}  // namespace baton::amqp
