// The STATE queue as the store of running transfers: one message a transfer, its newest record. A record is sent, comes
// back as a delivery, and is held unsettled for as long as it is the newest; so a crash leaves it on the queue, and the
// next run is given it. Of two records for one transfer the higher sequence stays and the other is settled, in whatever
// order they come. A record that cannot be read is put into a file and logged, and never stops the agent. Loop thread.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "agent/links.hpp"
#include "common/formats/state.hpp"

namespace baton::agent {

class state_store {
 public:
  using found = std::function<void(const formats::source_record& record)>;
  // `on_found` hears of each record that this run did not write: a transfer of an earlier run.
  state_store(std::string agent, std::string quarantine_directory, found on_found);

  // A new generation of links: what the old one held will be delivered again.
  void attach(links* through);
  void detach() {
    links_ = nullptr;
    held_.clear();
  }

  // `stored` is called when the record is on stable storage at the queue manager; not at all when the links break
  // before.
  void save(const formats::source_record& record, std::function<void(bool stored)> stored = nullptr);
  void forget(const std::string& transfer_id);
  void received(amqp::delivery_id delivery, const amqp::message& content);

 private:
  struct held {
    std::uint64_t sequence = 0;
    amqp::delivery_id delivery = 0;
  };
  void quarantine(const amqp::message& content, const std::string& why);

  const std::string agent_, quarantine_directory_;
  const found on_found_;
  links* links_ = nullptr;
  std::map<std::string, held> held_;
  std::map<std::string, std::uint64_t> written_;  // transfers of this run: the newest sequence
  std::set<std::string> ended_;                   // whose late records are settled at once
};

}  // namespace baton::agent
