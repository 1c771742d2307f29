// Bytes that nobody writes to any more, and what keeps them where they are: the buffer that they were made in, or the
// AMQP library's message that they arrived in. Copying one copies no byte. May be let go of on any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

#include "common/byte_buffer.hpp"

namespace baton {

class held_bytes {
 public:
  held_bytes() = default;
  held_bytes(byte_buffer bytes) {  // NOLINT: meant to convert
    auto keeper = std::make_shared<const byte_buffer>(std::move(bytes));
    bytes_ = *keeper;
    keeper_ = std::move(keeper);
  }
  // `bytes` stay where they are as long as `keeper` lives.
  held_bytes(std::string_view bytes, std::shared_ptr<const void> keeper) : bytes_(bytes), keeper_(std::move(keeper)) {}

  operator std::string_view() const { return bytes_; }  // NOLINT: meant to convert
  const char* data() const { return bytes_.data(); }
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
  std::shared_ptr<const void> keeper_;
};

}  // namespace baton
