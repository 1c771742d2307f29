#include "agent/transfer/part_takeover.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "agent/transfer/part_file.hpp"

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

// A newer one may have only some of the bytes: its owner died while it copied them.
bool has_bytes(const std::string& part, std::uint64_t bytes) {
  struct stat about {};
  return ::lstat(part.c_str(), &about) == 0 && S_ISREG(about.st_mode) &&
         static_cast<std::uint64_t>(about.st_size) >= bytes;
}

}  // namespace

// The part file may have a newer name than the record knows: its last owner died before it said so.
bool take_over_part(open_part& left, const std::string& transfer_id, std::uint64_t epoch,
                    const std::function<bool()>& may_act) {
  const std::string directory = parent_of(left.path);
  const std::string own = part_path(left.path, transfer_id, epoch, left.number);
  const auto parts = find_parts(directory, transfer_id)[left.number];
  found_part newest;
  for (const auto& candidate : parts) {
    const bool newer = candidate.epoch <= epoch && candidate.epoch >= newest.epoch;
    if (newer && has_bytes(candidate.part, left.offset)) newest = candidate;
  }
  if (!may_act()) return false;
  const bool found = !newest.part.empty();
  if (found && newest.part != own && take_part(newest.part, own, left.offset) != 0) return false;
  for (const auto& candidate : parts) {
    if (candidate.epoch < epoch) ::unlink(candidate.part.c_str());
  }
  // From here on a rename of the older name fails, and nobody else writes to what has the new one.
  if (!found || sync_directory(directory) != 0) return false;
  left.part = own;
  return true;
}

int take_part(const std::string& from, const std::string& to, std::uint64_t bytes) {
  descriptor file, fresh;
  if (const int failure = open_to_write(from, true, file)) return failure;
  if (!may_be_open_elsewhere(file)) return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
  int failure = open_fresh(to, fresh);
  if (failure == 0) failure = copy(file, fresh, bytes);
  if (failure == 0 && ::unlink(from.c_str()) != 0) failure = errno;
  // That may be because the next owner has taken it meanwhile: then the copy is nobody's.
  if (failure != 0) ::unlink(to.c_str());
  return failure;
}

}  // namespace baton::transfer
