// The door to the operating system's files for a transfer: a descriptor that closes itself, and the few verbs used.
// All of them block: worker threads only. Errors are errno values; 0 means done.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "agent/transfer/plan.hpp"

namespace baton::transfer {

class descriptor {
 public:
  descriptor() = default;
  explicit descriptor(int number) : number_(number) {}
  descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept;
  ~descriptor() { reset(); }
  bool open() const { return number_ >= 0; }
  int number() const { return number_; }
  void reset();

 private:
  int number_ = -1;
};

// A regular file to read; links are not followed. `about` says what was opened.
int open_to_read(const std::string& path, descriptor& file, struct stat& about);
// A new file (EEXIST when there is one), or with `keep` one that exists, to write and read at any place.
int open_to_write(const std::string& path, bool keep, descriptor& file);
// A new file in the place of whatever has the name: who still has that one open writes to another inode.
int open_fresh(const std::string& path, descriptor& file);
// Exactly all bytes at the offset.
int write_all(const descriptor& file, std::string_view bytes, std::uint64_t offset);
// Up to `room` bytes at the offset; `got` 0 at the end.
int read_some(const descriptor& file, char* buffer, std::size_t room, std::uint64_t offset, std::size_t& got);
// Renames; without `replace` an existing target is EEXIST and stays.
int rename_file(const std::string& from, const std::string& to, bool replace);
// Whether both are files with the same bytes and permissions; what cannot be read is not.
bool same_content(const std::string& one, const std::string& other);
// Makes the directories of a path that are missing and syncs those that changed.
// ENOTDIR with `blocked` set when a file stands in the way.
int make_directories(const std::string& path, std::string& blocked);
int sync_file(const std::string& path);
int sync_directory(const std::string& path);

file_identity identity_of(const struct stat& about);
std::string parent_of(const std::string& path);  // "/" at the top, "." for a bare name
// A path as it is when it begins with a slash, otherwise below `root`.
std::string path_below(const std::string& root, std::string_view path);

}  // namespace baton::transfer
