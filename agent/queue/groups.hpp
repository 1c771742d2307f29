// Which messages of a queue are the first group that is complete. Senders number the messages of a group
// (group-sequence), from 0 or 1, and mark the last one; they may come in any order, and those of several groups mixed.
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace baton::queue {

// The application property, `true`, of the last message of a group. It is the one that IBM MQ's JMS clients set.
inline constexpr const char* last_in_group_property = "JMS_IBM_Last_Msg_In_Group";

class groups {
 public:
  struct part {
    std::string group;  // group-id; empty: of none
    std::uint32_t sequence = 0;
    bool last = false;
  };
  // Messages are known by their number, from 0 in the order in which they come. When this one makes its group complete:
  // the numbers of that group's messages, in the group's order; otherwise nothing. One whose number the group has
  // already is not of the group.
  std::vector<std::size_t> add(const part& message);
  std::size_t count() const { return count_; }

 private:
  struct group {
    std::map<std::uint32_t, std::size_t> numbers;  // by sequence
    std::uint32_t last = 0;
    bool has_last = false;
  };
  std::map<std::string, group> groups_;
  std::size_t count_ = 0;
};

}  // namespace baton::queue
