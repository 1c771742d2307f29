#include "properties/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "common/text.hpp"

namespace baton {
namespace {

namespace fs = std::filesystem;

class descriptor {
 public:
  explicit descriptor(int fd) : fd_(fd) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

error system_failure(const fs::path& path, std::string_view what, int number) {
  const errc code = number == ENOENT                       ? errc::not_found
                    : number == EACCES || number == EPERM  ? errc::not_permitted
                    : number == ENOSPC || number == EDQUOT ? errc::no_space
                                                           : errc::io;
  return {code, fmt::format("{}: {}: {}", path.native(), what, system_text(number))};
}

status write_all(int fd, std::string_view content, const fs::path& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_failure(path, "cannot be written", errno);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return done();
}

status write_and_sync(const fs::path& path, std::string_view content, mode_t mode) {
  const descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (file.get() < 0) return system_failure(path, "cannot be created", errno);
  if (auto written = write_all(file.get(), content, path); !written) return written;
  if (::fsync(file.get()) != 0) return system_failure(path, "cannot be written", errno);
  return done();
}

}  // namespace

result<std::string> read_small_file(const fs::path& path, std::size_t bytes_max) {
  // Not blocking, so that a pipe in the place of the file cannot hold us up.
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return system_failure(path, "cannot be read", errno);
  struct stat about {};
  if (::fstat(file.get(), &about) != 0) return system_failure(path, "cannot be read", errno);
  if (!S_ISREG(about.st_mode)) return error{errc::io, fmt::format("{}: is not a file", path.native())};
  std::string content;
  char buffer[16384];
  for (ssize_t count; (count = ::read(file.get(), buffer, sizeof buffer)) != 0;) {
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_failure(path, "cannot be read", errno);
    content.append(buffer, static_cast<std::size_t>(count));
    if (content.size() > bytes_max) {
      return error{errc::no_space, fmt::format("{}: is longer than {} bytes", path.native(), bytes_max)};
    }
  }
  return content;
}

status write_file_atomically(const fs::path& path, std::string_view content, mode_t mode) {
  std::error_code failure;
  const fs::path directory = path.has_parent_path() ? path.parent_path() : fs::path(".");
  fs::create_directories(directory, failure);
  if (failure) return system_failure(directory, "cannot be created", failure.value());
  const fs::path temporary = path.native() + fmt::format(".{}.tmp", ::getpid());
  ::unlink(temporary.c_str());
  if (auto written = write_and_sync(temporary, content, mode); !written) {
    ::unlink(temporary.c_str());
    return written;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int number = errno;
    ::unlink(temporary.c_str());
    return system_failure(path, "cannot be replaced", number);
  }
  const descriptor folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() >= 0) ::fsync(folder.get());
  return done();
}

}  // namespace baton
