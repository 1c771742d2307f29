#include "properties/pid_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "common/text.hpp"

namespace baton {
namespace {

// The file may have been removed between opening and locking it; then the lock is worth nothing.
bool still_at(int descriptor, const std::filesystem::path& path) {
  struct stat held {
  }, there{};
  return ::fstat(descriptor, &held) == 0 && ::stat(path.c_str(), &there) == 0 && held.st_ino == there.st_ino &&
         held.st_dev == there.st_dev;
}

}  // namespace

result<pid_file> pid_file::acquire(const std::filesystem::path& path) {
  std::error_code failure;
  std::filesystem::create_directories(path.parent_path(), failure);
  for (int attempt = 0; attempt < 10; ++attempt) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor < 0)
      return error{errc::io, fmt::format("{}: cannot be created: {}", path.native(), system_text(errno))};
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      ::close(descriptor);
      return error{errc::in_use, fmt::format("{}: held by a running process", path.native())};
    }
    if (!still_at(descriptor, path)) {
      ::close(descriptor);
      continue;
    }
    const std::string text = fmt::format("{}\n", ::getpid());
    if (::ftruncate(descriptor, 0) != 0 || ::write(descriptor, text.data(), text.size()) < 0) {
      const int number = errno;
      ::close(descriptor);
      return error{errc::io, fmt::format("{}: cannot be written: {}", path.native(), system_text(number))};
    }
    return pid_file(path, descriptor);
  }
  return error{errc::in_use, fmt::format("{}: is made and removed all the time", path.native())};
}

pid_file::pid_file(pid_file&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

pid_file::~pid_file() {
  if (descriptor_ < 0) return;
  ::unlink(path_.c_str());
  ::close(descriptor_);
}

std::optional<pid_t> pid_file_holder(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return std::nullopt;
  // A shared lock, so that two commands that look at the same moment do not take each other for the holder.
  const bool held = ::flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  char buffer[32] = {};
  const ssize_t count = ::read(descriptor, buffer, sizeof buffer - 1);
  ::close(descriptor);
  if (!held || count <= 0) return std::nullopt;
  const long pid = std::strtol(buffer, nullptr, 10);
  return pid > 0 ? std::optional<pid_t>(static_cast<pid_t>(pid)) : std::nullopt;
}

}  // namespace baton
