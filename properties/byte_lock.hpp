// A file of which each byte is a lock: advisory locks that belong to the open file (F_OFD_SETLK), so that they end with
// the process that holds them, however it ends, and that NFS version 4 carries to the other hosts. One thread at a
// time.
#pragma once

#include <cstdint>
#include <filesystem>

#include "common/result.hpp"

namespace baton {

class byte_lock {
 public:
  // Makes the file when it is missing. errc::io, errc::not_permitted.
  static result<byte_lock> open(const std::filesystem::path& path);
  // Only to ask is_free(), where the file is; errc::not_found.
  static result<byte_lock> open_to_ask(const std::filesystem::path& path);
  byte_lock(byte_lock&& other) noexcept;
  byte_lock& operator=(byte_lock&& other) noexcept;
  ~byte_lock();  // gives back what it holds

  // True: this object holds the byte now, or did before. False: somebody else does. errc::io: the file system has no
  // locks, or has lost this one.
  result<bool> take(std::uint64_t byte);
  void give(std::uint64_t byte);
  // Whether nobody else holds it. Takes nothing.
  result<bool> is_free(std::uint64_t byte) const;

  int descriptor() const { return descriptor_; }

 private:
  byte_lock(std::filesystem::path path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace baton
