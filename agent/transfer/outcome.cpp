#include "agent/transfer/outcome.hpp"

#include <cerrno>

#include "common/messages/message.hpp"
#include "common/text.hpp"

namespace baton::transfer {

trouble trouble_of(int failure) {
  if (failure == 0) return trouble::none;
  return failure == ENOSPC || failure == EDQUOT ? trouble::no_room : trouble::failed;
}

outcome cannot_write(const std::string& path, int failure) {
  return {trouble_of(failure), render(messages::BFGIO0901E, name_to_text(path), system_text(failure))};
}

}  // namespace baton::transfer
