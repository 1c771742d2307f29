#include "properties/byte_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "common/text.hpp"

namespace baton {
namespace {

struct flock one_byte(std::uint64_t byte, short how) {
  struct flock wanted {};
  wanted.l_type = how;
  wanted.l_whence = SEEK_SET;
  wanted.l_start = static_cast<off_t>(byte);
  wanted.l_len = 1;
  return wanted;
}

error failure(const std::filesystem::path& path, const char* what) {
  const int number = errno;
  return {number == ENOENT                      ? errc::not_found
          : number == EACCES || number == EPERM ? errc::not_permitted
                                                : errc::io,
          fmt::format("{}: {}: {}", path.native(), what, system_text(number))};
}

}  // namespace

result<byte_lock> byte_lock::open(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) return failure(path, "cannot be opened");
  return byte_lock(path, descriptor);
}

result<byte_lock> byte_lock::open_to_ask(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return failure(path, "cannot be opened");
  return byte_lock(path, descriptor);
}

byte_lock::byte_lock(byte_lock&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

byte_lock& byte_lock::operator=(byte_lock&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

byte_lock::~byte_lock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

result<bool> byte_lock::take(std::uint64_t byte) {
  struct flock wanted = one_byte(byte, F_WRLCK);
  if (::fcntl(descriptor_, F_OFD_SETLK, &wanted) == 0) return true;
  if (errno == EAGAIN || errno == EACCES) return false;
  return failure(path_, "cannot be locked");
}

void byte_lock::give(std::uint64_t byte) {
  struct flock wanted = one_byte(byte, F_UNLCK);
  ::fcntl(descriptor_, F_OFD_SETLK, &wanted);
}

result<bool> byte_lock::is_free(std::uint64_t byte) const {
  struct flock wanted = one_byte(byte, F_WRLCK);
  if (::fcntl(descriptor_, F_OFD_GETLK, &wanted) != 0) return failure(path_, "its lock cannot be asked for");
  return wanted.l_type == F_UNLCK;
}

}  // namespace baton
