#include "properties/pid_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <system_error>
#include <thread>
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

std::optional<pid_t> process_in(int descriptor) {
  char buffer[32] = {};
  if (::pread(descriptor, buffer, sizeof buffer - 1, 0) <= 0) return std::nullopt;
  const long pid = std::strtol(buffer, nullptr, 10);
  return pid > 0 ? std::optional<pid_t>(static_cast<pid_t>(pid)) : std::nullopt;
}

// It was killed, but some of its threads are not yet through with what they do in the kernel: it keeps its locks.
bool is_dying(pid_t process) {
  std::ifstream about(fmt::format("/proc/{}/status", process));
  constexpr std::uint64_t killed = std::uint64_t{1} << (SIGKILL - 1);
  for (std::string name, value; about >> name && std::getline(about, value);) {
    const std::string text(trim(value));
    if (name == "State:" && (text.starts_with('Z') || text.starts_with('X'))) return true;
    const bool pending = name == "SigPnd:" || name == "ShdPnd:";
    if (pending && (std::strtoull(text.c_str(), nullptr, 16) & killed) != 0) return true;
  }
  return false;
}

// Like flock without waiting, except for a holder that is dying: errno is EWOULDBLOCK when one that lives has it.
bool try_lock(int descriptor, int how) {
  constexpr int attempts_max = 1000;
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    if (::flock(descriptor, how | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK) return false;
    const auto holder = process_in(descriptor);
    if (!holder || !is_dying(*holder)) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  errno = EWOULDBLOCK;
  return false;
}

}  // namespace

result<pid_file> pid_file::acquire(const std::filesystem::path& path) {
  std::error_code failure;
  std::filesystem::create_directories(path.parent_path(), failure);
  for (int attempt = 0; attempt < 10; ++attempt) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor < 0)
      return error{errc::io, fmt::format("{}: cannot be created: {}", path.native(), system_text(errno))};
    if (!try_lock(descriptor, LOCK_EX)) {
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
  const bool held = !try_lock(descriptor, LOCK_SH) && errno == EWOULDBLOCK;
  const auto holder = process_in(descriptor);
  ::close(descriptor);
  return held ? holder : std::nullopt;
}

}  // namespace baton
