// Pid files: a file with the process id that holds it. A file that is left over by a killed process is recognised by
// its lock being free (the holder keeps a lock on byte 0 for as long as it lives), so a reused process id misleads
// nobody. Who looks takes no lock, so it is never in the way of who starts.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>

#include "common/result.hpp"
#include "properties/byte_lock.hpp"

namespace baton {

// Held by a running process; the file is removed and the lock freed on destruction.
class pid_file {
 public:
  // errc::in_use when another process holds it; one that was killed and is not gone yet is waited for, at most 5 s. The
  // file is created, its directory too, readable by everyone.
  static result<pid_file> acquire(const std::filesystem::path& path);
  pid_file(pid_file&& other) noexcept = default;
  pid_file& operator=(pid_file&&) = delete;
  ~pid_file();

 private:
  pid_file(std::filesystem::path path, byte_lock lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::filesystem::path path_;
  byte_lock lock_;
};

// The process that holds the file, if one does. Waits like acquire().
std::optional<pid_t> pid_file_holder(const std::filesystem::path& path);

}  // namespace baton
