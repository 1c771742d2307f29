// The checksum of a whole item while it moves. After an interruption an item goes on at an offset whose bytes before it
// have not been hashed in this process: they are caught up with in bounded steps beside what moves, and the rest at the
// end, so that the first byte that moves again waits for nothing. Blocking: one worker thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/transfer/checksum.hpp"
#include "agent/transfer/file.hpp"

namespace baton::transfer {

class running_checksum {
 public:
  explicit running_checksum(formats::checksum_kind kind) : sum_(kind), none_(kind == formats::checksum_kind::none) {}

  // Bytes of the item that have moved, from `offset` on; `file` is where those before, and later these, can be read
  // again. errno or 0; EIO when the file is shorter than it was.
  int add(const descriptor& file, std::uint64_t offset, std::string_view bytes);
  // Reads what is still missing of the item's first `size` bytes. errno or 0.
  int catch_up(const descriptor& file, std::uint64_t size);
  // Raw bytes; ends the computation.
  std::string digest() { return sum_.digest(); }
  // Bytes from the start that are in the checksum.
  std::uint64_t position() const { return position_; }

 private:
  int read_up_to(const descriptor& file, std::uint64_t end);

  checksum sum_;
  bool none_;
  std::uint64_t position_ = 0;
};

// Bytes of backlog that are hashed beside each byte that moves.
inline constexpr std::uint64_t catch_up_factor = 8;

}  // namespace baton::transfer
