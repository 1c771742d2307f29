// The STATE queue as the store of running transfers: one message a transfer, its newest record. A record is sent, comes
// back as a delivery, and is held unsettled for as long as it is the newest; so a crash leaves it on the queue, and the
// next activation is given it. Of two records for one transfer the higher sequence stays and the other is settled, in
// whatever order they come. A record that cannot be read is put into a file and logged, and never stops the agent.
// Lives as long as the activation. Loop thread.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "agent/links.hpp"
#include "common/formats/state.hpp"

namespace baton::agent {

class state_store {
 public:
  using found = std::function<void(const formats::source_record& record)>;
  // `on_found` hears of each record of an earlier activation, and again when a newer one of the same transfer comes.
  state_store(std::string agent, std::string quarantine_directory, links& through, found on_found);

  // `stored` is called when the record is on stable storage at the queue manager; not at all when the links break
  // before.
  void save(const formats::source_record& record, std::function<void(bool stored)> stored = nullptr);
  void forget(const std::string& transfer_id);
  void received(amqp::delivery_id delivery, const amqp::message& content);

 private:
  struct entry {
    std::uint64_t sequence = 0;                          // of the record that is held
    amqp::delivery_id delivery = 0;                      // 0: none is held
    std::uint64_t first_own = UINT64_MAX, last_own = 0;  // sequences that this activation has written
    int on_their_way = 0;  // records that this activation sent and that have not come back
    bool ended = false;
  };
  void quarantine(const amqp::message& content, const std::string& why);
  void settle(amqp::delivery_id delivery);
  void drop_if_done(const std::string& transfer_id);

  const std::string agent_, quarantine_directory_;
  links& links_;
  const found on_found_;
  std::map<std::string, entry> entries_;
};

}  // namespace baton::agent
