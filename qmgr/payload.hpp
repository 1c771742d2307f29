// The bytes of one message as they travelled: every section after the transfer frame, header included. They are written
// once, by the thread that read them from the network, and shared read-only afterwards, so nobody copies a body to hand
// it on.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace baton::qmgr {

class payload {
 public:
  explicit payload(std::size_t size) : size_(size), bytes_(new char[size]) {}  // not zeroed: it is about to be filled
  char* data() { return bytes_.get(); }
  std::size_t size() const { return size_; }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> bytes_;
};
using payload_ptr = std::shared_ptr<const payload>;

}  // namespace baton::qmgr
