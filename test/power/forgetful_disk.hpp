// A directory tree that forgets, when the power goes, what was not synced. The calls of the operating system that
// change files pass through here: this program has functions of their names, which do the real thing and take notes.
// One thread.
//
// The model. Data of a file is certain once the file, or the file system, was synced; of what was written since, any
// pages may be left. A name is certain once its directory was synced; of the changes since, in all directories, those
// up to some moment are left, in their order.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "test/unit/seed.hpp"

namespace baton::test {

// Which calls do nothing that lasts: a program that leaves them out must be found out.
struct ignored_calls {
  bool data_sync = false, directory_sync = false, system_sync = false;
};

class forgetful_disk {
 public:
  // What is under `root` now is certain. `keep` is a directory of its own for what names have been removed from.
  forgetful_disk(std::filesystem::path root, std::filesystem::path keep, ignored_calls ignored = {});
  ~forgetful_disk();
  forgetful_disk(const forgetful_disk&) = delete;
  forgetful_disk& operator=(const forgetful_disk&) = delete;

  // The power goes before the step that comes after so many more.
  void lose_power_after(std::uint64_t steps, generator& random);
  // It went: what has been done since then was never done.
  bool dark() const { return dark_; }
  // Puts onto the disk what the power left.
  void restart();
  // That many calls that need room fail from now on.
  void fill_for(std::uint64_t calls) { full_for_ = calls; }

  // What would certainly be left: path below root -> content; directories end with '/'.
  std::map<std::string, std::string> certain() const;

  // For the functions that stand before the operating system's.
  bool holds(const std::string& path) const;
  bool step(bool needs_room);  // false: it fails for want of room
  void made(const std::string& path);
  void renamed(const std::string& from, const std::string& to);
  void removing(const std::string& path);
  void synced(const std::string& path, int file);
  void synced_all();

 private:
  struct content {
    std::string bytes;
    mode_t mode = 0600;
    timespec modified{};
  };
  struct change {
    enum class kind { make, remove, rename } what;
    std::string path, to;
    ino_t inode = 0;  // 0: a directory
  };
  using names = std::map<std::string, ino_t>;

  std::string kept(ino_t inode) const { return (keep_ / std::to_string(inode)).string(); }
  content current(ino_t inode) const;
  content left_of(ino_t inode, generator& random) const;
  void note(change what);
  static void apply(names& to, const change& what);
  void scan();

  const std::filesystem::path root_, keep_;
  const ignored_calls ignored_;
  names names_;                        // certain
  std::vector<change> changes_;        // that are not, in their order
  std::map<ino_t, content> contents_;  // certain; none: nothing is
  names left_names_;                   // when the power went
  std::map<ino_t, content> left_;
  generator* random_ = nullptr;
  std::uint64_t steps_left_ = 0, full_for_ = 0;
  bool dark_ = false;
};

}  // namespace baton::test
