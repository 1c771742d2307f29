// Functions of the operating system's names, which the linker takes instead: each tells the disk that its file is on.
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <map>

#include "test/power/forgetful_disk.hpp"

namespace baton::test {

std::vector<forgetful_disk*>& forgetful_disks();

namespace {

std::map<int, std::string>& open_files() {
  static std::map<int, std::string> names;
  return names;
}

forgetful_disk* disk_of(const std::string& path) {
  for (auto* disk : forgetful_disks()) {
    if (disk->holds(path)) return disk;
  }
  return nullptr;
}

forgetful_disk* disk_of(int file) {
  const auto found = open_files().find(file);
  return found == open_files().end() ? nullptr : disk_of(found->second);
}

template <class Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

int no_room() {
  errno = ENOSPC;
  return -1;
}

int open_with_notes(const char* path, int flags, mode_t mode) {
  static const auto call = real<int (*)(const char*, int, ...)>("open");
  auto* const disk = disk_of(path);
  const bool make = (flags & O_CREAT) != 0 && ::access(path, F_OK) != 0;
  if (disk != nullptr && make && !disk->step(true)) return no_room();
  const int file = call(path, flags, mode);
  if (file < 0) return file;
  open_files()[file] = path;
  if (disk != nullptr && make) disk->made(path);
  return file;
}

int rename_with_notes(const char* from, const char* to, unsigned flags) {
  static const auto call = real<int (*)(int, const char*, int, const char*, unsigned)>("renameat2");
  auto* const disk = disk_of(from);
  if (disk != nullptr && !disk->step(true)) return no_room();
  const int result = call(AT_FDCWD, from, AT_FDCWD, to, flags);
  if (result == 0 && disk != nullptr) disk->renamed(from, to);
  return result;
}

template <class Call>
int sync_with_notes(const char* name, int file) {
  static const auto call = real<Call>(name);
  auto* const disk = disk_of(file);
  if (disk != nullptr && !disk->step(true)) return no_room();
  const int result = call(file);
  if (result == 0 && disk != nullptr) disk->synced(open_files().at(file), file);
  return result;
}

}  // namespace
}  // namespace baton::test

using namespace baton::test;

extern "C" {

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const auto mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_with_notes(path, flags, mode);
}

int rename(const char* from, const char* to) noexcept {
  return rename_with_notes(from, to, 0);
}

int renameat2(int, const char* from, int, const char* to, unsigned flags) noexcept {
  return rename_with_notes(from, to, flags);
}

int unlink(const char* path) noexcept {
  static const auto call = real<int (*)(const char*)>("unlink");
  auto* const disk = disk_of(path);
  if (disk != nullptr) disk->step(false);
  const int result = call(path);
  if (result == 0 && disk != nullptr) disk->removing(path);
  return result;
}

int mkdir(const char* path, mode_t mode) noexcept {
  static const auto call = real<int (*)(const char*, mode_t)>("mkdir");
  auto* const disk = disk_of(path);
  if (disk != nullptr && !disk->step(true)) return no_room();
  const int result = call(path, mode);
  if (result == 0 && disk != nullptr) disk->made(path);
  return result;
}

ssize_t pwrite(int file, const void* bytes, size_t count, off_t at) {
  static const auto call = real<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  auto* const disk = disk_of(file);
  if (disk == nullptr || disk->step(true)) return call(file, bytes, count, at);
  if (count > 1) (void)call(file, bytes, count / 2, at);  // there was some room left
  return no_room();
}

int ftruncate(int file, off_t size) noexcept {
  static const auto call = real<int (*)(int, off_t)>("ftruncate");
  if (auto* const disk = disk_of(file)) disk->step(false);
  return call(file, size);
}

int fsync(int file) {
  return sync_with_notes<int (*)(int)>("fsync", file);
}

int fdatasync(int file) {
  return sync_with_notes<int (*)(int)>("fdatasync", file);
}

int syncfs(int file) noexcept {
  auto* const disk = disk_of(file);
  if (disk == nullptr) return 0;
  if (!disk->step(true)) return no_room();
  disk->synced_all();
  return 0;
}
}
