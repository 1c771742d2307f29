#include "agent/transfer/running_checksum.hpp"

#include <algorithm>
#include <cerrno>

namespace baton::transfer {
namespace {
constexpr std::size_t read_bytes = 1 << 18;
}

int running_checksum::add(const descriptor& file, std::uint64_t offset, std::string_view bytes) {
  if (none_) return 0;
  if (position_ < offset) {
    const std::uint64_t step = catch_up_factor * bytes.size();
    if (const int failure = read_up_to(file, std::min(offset, position_ + step))) return failure;
  }
  if (position_ != offset) return 0;  // these bytes are read again when their turn comes
  sum_.update(bytes);
  position_ += bytes.size();
  return 0;
}

int running_checksum::catch_up(const descriptor& file, std::uint64_t size) {
  return none_ ? 0 : read_up_to(file, size);
}

int running_checksum::read_up_to(const descriptor& file, std::uint64_t end) {
  if (position_ >= end) return 0;
  std::string buffer(static_cast<std::size_t>(std::min<std::uint64_t>(read_bytes, end - position_)), '\0');
  while (position_ < end) {
    const auto room = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), end - position_));
    std::size_t got = 0;
    const int failure = read_some(file, buffer.data(), room, position_, got);
    if (failure != 0) return failure;
    if (got == 0) return EIO;
    sum_.update(std::string_view(buffer.data(), got));
    position_ += got;
  }
  return 0;
}

}  // namespace baton::transfer
