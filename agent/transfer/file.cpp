#include "agent/transfer/file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

namespace baton::transfer {

descriptor& descriptor::operator=(descriptor&& other) noexcept {
  if (this != &other) {
    reset();
    number_ = std::exchange(other.number_, -1);
  }
  return *this;
}

void descriptor::reset() {
  if (number_ >= 0) ::close(number_);
  number_ = -1;
}

int open_to_read(const std::string& path, descriptor& file, struct stat& about) {
  // Not blocking: a pipe that took the file's place must not hold the worker.
  descriptor opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!opened.open() || fstat(opened.number(), &about) != 0) return errno;
  if (!S_ISREG(about.st_mode)) return EINVAL;
  posix_fadvise(opened.number(), 0, 0, POSIX_FADV_SEQUENTIAL);
  file = std::move(opened);
  return 0;
}

int open_to_write(const std::string& path, bool keep, descriptor& file) {
  const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (keep ? 0 : O_CREAT | O_EXCL);
  descriptor opened(::open(path.c_str(), flags, 0600));
  if (!opened.open()) return errno;
  file = std::move(opened);
  return 0;
}

int open_fresh(const std::string& path, descriptor& file) {
  const int failure = open_to_write(path, false, file);
  return failure == EEXIST && ::unlink(path.c_str()) == 0 ? open_to_write(path, false, file) : failure;
}

int write_all(const descriptor& file, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t count = pwrite(file.number(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return 0;
}

int read_some(const descriptor& file, char* buffer, std::size_t room, std::uint64_t offset, std::size_t& got) {
  for (;;) {
    const ssize_t count = pread(file.number(), buffer, room, static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    got = count > 0 ? static_cast<std::size_t>(count) : 0;
    return count < 0 ? errno : 0;
  }
}

int rename_file(const std::string& from, const std::string& to, bool replace) {
  if (replace) return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // A file system that cannot rename without replacing can at least link, which does not replace either.
  if (::link(from.c_str(), to.c_str()) != 0) return errno;
  return ::unlink(from.c_str()) == 0 ? 0 : errno;
}

bool same_content(const std::string& one, const std::string& other) {
  constexpr std::size_t piece_bytes = 256 << 10;
  descriptor a, b;
  struct stat about_a {
  }, about_b{};
  if (open_to_read(one, a, about_a) != 0 || open_to_read(other, b, about_b) != 0) return false;
  if (about_a.st_size != about_b.st_size || about_a.st_mode != about_b.st_mode) return false;
  std::vector<char> from_a(piece_bytes), from_b(piece_bytes);
  for (std::uint64_t at = 0;; at += piece_bytes) {
    std::size_t got_a = 0, got_b = 0;
    if (read_some(a, from_a.data(), piece_bytes, at, got_a) != 0) return false;
    if (read_some(b, from_b.data(), piece_bytes, at, got_b) != 0 || got_a != got_b) return false;
    if (std::memcmp(from_a.data(), from_b.data(), got_a) != 0) return false;
    if (got_a < piece_bytes) return true;
  }
}

int make_directories(const std::string& path, std::string& blocked) {
  struct stat about {};
  if (::stat(path.c_str(), &about) == 0) {
    if (S_ISDIR(about.st_mode)) return 0;
    blocked = path;
    return ENOTDIR;
  }
  if (errno == ENOTDIR) blocked = path;
  if (errno != ENOENT) return errno;
  const std::string parent = parent_of(path);
  if (const int failure = make_directories(parent, blocked)) return failure;
  if (::mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) return errno;
  return sync_directory(parent);
}

int sync_file(const std::string& path) {
  descriptor file;
  struct stat about {};
  if (const int failure = open_to_read(path, file, about)) return failure;
  return fsync(file.number()) == 0 ? 0 : errno;
}

int sync_directory(const std::string& path) {
  const descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.open()) return errno;
  return fsync(directory.number()) == 0 || errno == EINVAL ? 0 : errno;
}

file_identity identity_of(const struct stat& about) {
  return {static_cast<std::uint64_t>(about.st_size), about.st_dev, about.st_ino, about.st_mtim.tv_sec,
          static_cast<std::uint32_t>(about.st_mtim.tv_nsec)};
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string path_below(const std::string& root, std::string_view path) {
  return path.starts_with('/') ? std::string(path) : root + "/" + std::string(path);
}

}  // namespace baton::transfer
