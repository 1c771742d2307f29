#include "properties/pid_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
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

// Whether the lock is there, or was taken, as `ask` says. A holder that is dying is waited for.
template <class Ask>
result<bool> ask_the_living(const byte_lock& lock, Ask ask) {
  constexpr int attempts_max = 1000;
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    const result<bool> free = ask();
    if (!free || *free) return free;
    const auto holder = process_in(lock.descriptor());
    if (!holder || !is_dying(*holder)) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

}  // namespace

result<pid_file> pid_file::acquire(const std::filesystem::path& path) {
  std::error_code ignored;
  std::filesystem::create_directories(path.parent_path(), ignored);
  for (int attempt = 0; attempt < 10; ++attempt) {
    auto lock = byte_lock::open(path);
    if (!lock) return lock.error();
    const auto taken = ask_the_living(*lock, [&] { return lock->take(0); });
    if (!taken) return taken.error();
    if (!*taken) return error{errc::in_use, fmt::format("{}: held by a running process", path.native())};
    if (!still_at(lock->descriptor(), path)) continue;
    const std::string text = fmt::format("{}\n", ::getpid());
    if (::ftruncate(lock->descriptor(), 0) != 0 || ::write(lock->descriptor(), text.data(), text.size()) < 0)
      return error{errc::io, fmt::format("{}: cannot be written: {}", path.native(), system_text(errno))};
    return pid_file(path, std::move(*lock));
  }
  return error{errc::in_use, fmt::format("{}: is made and removed all the time", path.native())};
}

pid_file::~pid_file() {
  if (lock_.descriptor() >= 0) ::unlink(path_.c_str());
}

std::optional<pid_t> pid_file_holder(const std::filesystem::path& path) {
  const auto lock = byte_lock::open_to_ask(path);
  if (!lock) return std::nullopt;
  const auto free = ask_the_living(*lock, [&] { return lock->is_free(0); });
  return free && !*free ? process_in(lock->descriptor()) : std::nullopt;
}

}  // namespace baton
