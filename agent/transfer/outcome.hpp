// What came of a step on a file of the destination, and what that means for the transfer.
#pragma once

#include <string>
#include <utility>

namespace baton::transfer {

enum class trouble {
  none,
  failed,   // the item cannot arrive
  no_room,  // nothing is wrong with it: it can arrive when the file system has room again
  damaged,  // what came is not what was sent: it has to be sent again
};

struct outcome {
  trouble what = trouble::none;
  std::string text;  // a rendered message; empty with none
  bool ok() const { return what == trouble::none; }
};

// `failure` is an errno value: a file system or a quota that is full is no_room.
trouble trouble_of(int failure);
outcome cannot_write(const std::string& path, int failure);
inline outcome failed(std::string text) {
  return {trouble::failed, std::move(text)};
}

}  // namespace baton::transfer
