#include "common/messages/message.hpp"

#include <algorithm>
#include <vector>

namespace baton {

std::span<const message* const> all_messages() {
  static const std::vector<const message*> sorted = [] {
    std::vector<const message*> list{
#define BATON_MESSAGE(id, text, explanation, response) &messages::id,
#include "common/messages/agent.def"
#include "common/messages/commands.def"
#include "common/messages/coordination.def"
#include "common/messages/properties.def"
#include "common/messages/qmgr.def"
#include "common/messages/transfer.def"
#undef BATON_MESSAGE
    };
    std::sort(list.begin(), list.end(), [](const message* a, const message* b) { return a->id < b->id; });
    return list;
  }();
  return sorted;
}

}  // namespace baton
