#include "agent/transfer/part_takeover.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "agent/transfer/file.hpp"

namespace baton::transfer {
namespace {

// A lease for writing is granted to the only one who has a file open. Where there are no leases, or the other one is on
// another host, nobody can tell.
bool may_be_open_elsewhere(const descriptor& file) {
  if (::fcntl(file.number(), F_SETLEASE, F_WRLCK) != 0) return true;
  ::fcntl(file.number(), F_SETLEASE, F_UNLCK);
  return false;
}

// Within the kernel, and without moving a byte where the file system can share blocks.
int copy(const descriptor& from, const descriptor& to, std::uint64_t bytes) {
  for (std::uint64_t done = 0; done < bytes;) {
    const ssize_t count = ::copy_file_range(from.number(), nullptr, to.number(), nullptr, bytes - done, 0);
    if (count < 0 && errno != EINTR) return errno;
    if (count == 0) return EIO;  // shorter than what is durable of it
    if (count > 0) done += static_cast<std::uint64_t>(count);
  }
  return ::fdatasync(to.number()) == 0 ? 0 : errno;
}

}  // namespace

int take_part(const std::string& from, const std::string& to, std::uint64_t bytes) {
  descriptor file, fresh;
  if (const int failure = open_to_write(from, true, file)) return failure;
  if (!may_be_open_elsewhere(file)) return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
  int failure = open_to_write(to, false, fresh);
  if (failure == EEXIST && ::unlink(to.c_str()) == 0) failure = open_to_write(to, false, fresh);
  if (failure == 0) failure = copy(file, fresh, bytes);
  if (failure == 0 && ::unlink(from.c_str()) != 0) failure = errno;
  // That may be because the next owner has taken it meanwhile: then the copy is nobody's.
  if (failure != 0) ::unlink(to.c_str());
  return failure;
}

}  // namespace baton::transfer
