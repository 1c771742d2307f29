// A copy of what this process knows to be on STATE, kept only where an agent has several queue managers: when the one
// that it is connected to is lost, transfers that are under way go on at another, which may know nothing of them. And
// when it goes back, those at the first one hear what has become of what they have. Loop thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/amqp/message.hpp"
#include "common/formats/state.hpp"

namespace baton::agent {

class state_copy {
 public:
  explicit state_copy(bool wanted) : wanted_(wanted) {}

  // Of two records for one transfer the newer counts.
  void keep(const formats::source_record& record);
  void keep(const formats::destination_record& record);
  void keep(const formats::plan_part& part);
  // The transfer has ended. True: an older record of it stands at another queue manager; the last one stays here.
  bool forget_source(const std::string& transfer_id);
  void forget_destination(const std::string& transfer_id);
  void clear();

  // All of it as messages for STATE. Their sequences are one higher than what was there, so that they count instead.
  std::vector<amqp::message> messages() const;
  // What messages() has of a transfer goes on elsewhere: all that this agent needs to send it, or to receive it.
  bool has_source(const std::string& transfer_id) const;
  bool has_destination(const std::string& transfer_id) const { return destinations_.count(transfer_id) > 0; }
  // The present content stands at a queue manager that is not the one in use any more.
  void left_behind();
  bool empty() const { return sources_.empty() && destinations_.empty(); }

 private:
  // Beyond this much of plans a transfer is not copied: it waits for its queue manager.
  static constexpr std::size_t part_bytes_max = 64 << 20, ended_max = 10000;
  struct part {
    std::uint32_t count = 0;
    std::string packed;
  };
  using part_key = std::pair<std::uint64_t, std::uint32_t>;  // plan, number
  bool complete(const formats::source_record& record) const;
  void drop_parts(const std::string& transfer_id);

  const bool wanted_;
  std::map<std::string, formats::source_record> sources_, ended_;
  std::map<std::string, formats::destination_record> destinations_;
  std::map<std::string, std::map<part_key, part>> parts_;
  std::size_t part_bytes_ = 0;
  std::map<std::string, bool> left_;  // transfers with a record elsewhere
};

}  // namespace baton::agent
