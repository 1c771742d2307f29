#include "test/power/forgetful_disk.hpp"

#include <fcntl.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <system_error>

namespace baton::test {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t page_bytes = 512;

std::string parent(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

}  // namespace

// The functions that stand before the operating system's look here.
std::vector<forgetful_disk*>& forgetful_disks() {
  static std::vector<forgetful_disk*> all;
  return all;
}

forgetful_disk::forgetful_disk(fs::path root, fs::path keep, ignored_calls ignored)
    : root_(std::move(root)), keep_(std::move(keep)), ignored_(ignored) {
  fs::create_directories(keep_);
  scan();
  forgetful_disks().push_back(this);
}

forgetful_disk::~forgetful_disk() {
  std::erase(forgetful_disks(), this);
}

void forgetful_disk::scan() {
  names_.clear();
  contents_.clear();
  changes_.clear();
  for (const auto& entry : fs::recursive_directory_iterator(root_)) {
    if (entry.is_directory()) {
      names_[entry.path().string()] = 0;
      continue;
    }
    struct stat about {};
    ::lstat(entry.path().c_str(), &about);
    names_[entry.path().string()] = about.st_ino;
    std::error_code there_already;
    fs::create_hard_link(entry.path(), kept(about.st_ino), there_already);
    contents_[about.st_ino] = current(about.st_ino);
  }
}

bool forgetful_disk::holds(const std::string& path) const {
  return path == root_.string() || path.starts_with(root_.string() + "/");
}

bool forgetful_disk::step(bool needs_room) {
  if (!dark_ && random_ != nullptr && steps_left_-- == 0) {
    dark_ = true;
    left_names_ = names_;
    const std::size_t survive = below(*random_, changes_.size() + 1);
    for (std::size_t i = 0; i < survive; ++i) apply(left_names_, changes_[i]);
    for (const auto& [path, inode] : left_names_) {
      if (inode != 0) left_[inode] = left_of(inode, *random_);
    }
  }
  if (!needs_room || full_for_ == 0) return true;
  --full_for_;
  return false;
}

void forgetful_disk::lose_power_after(std::uint64_t steps, generator& random) {
  steps_left_ = steps;
  random_ = &random;
}

void forgetful_disk::restart() {
  full_for_ = 0;
  fs::remove_all(root_);
  fs::create_directories(root_);
  for (const auto& [path, inode] : left_names_) {  // a directory comes before what is in it
    if (inode == 0) {
      fs::create_directories(path);
      continue;
    }
    const content& is = left_.at(inode);
    if (current(inode).bytes != is.bytes) std::ofstream(kept(inode), std::ios::binary | std::ios::trunc) << is.bytes;
    ::chmod(kept(inode).c_str(), is.mode);
    const timespec times[2] = {{0, UTIME_NOW}, is.modified};
    ::utimensat(AT_FDCWD, kept(inode).c_str(), times, 0);
    fs::create_hard_link(kept(inode), path);
  }
  left_.clear();
  left_names_.clear();
  random_ = nullptr;
  dark_ = false;
  scan();
}

std::map<std::string, std::string> forgetful_disk::certain() const {
  std::map<std::string, std::string> found;
  for (const auto& [path, inode] : names_) {
    const std::string name = path.substr(root_.string().size() + 1);
    const auto known = contents_.find(inode);
    if (inode == 0)
      found[name + "/"];
    else
      found[name] = known == contents_.end() ? "" : known->second.bytes;
  }
  return found;
}

forgetful_disk::content forgetful_disk::current(ino_t inode) const {
  content now;
  std::ifstream in(kept(inode), std::ios::binary);
  now.bytes.assign(std::istreambuf_iterator<char>(in), {});
  struct stat about {};
  ::lstat(kept(inode).c_str(), &about);
  now.mode = about.st_mode & 07777;
  now.modified = about.st_mtim;
  return now;
}

// All, nothing, or any pages of what is not certain; where nothing was before, there are zeros.
forgetful_disk::content forgetful_disk::left_of(ino_t inode, generator& random) const {
  const auto known = contents_.find(inode);
  const content before = known == contents_.end() ? content{} : known->second;
  const content now = current(inode);
  const std::size_t choice = below(random, 4);
  if (choice == 0) return before;
  if (choice == 1) return now;
  content mixed = choice == 2 ? now : before;
  mixed.bytes = before.bytes;
  const std::size_t longest = std::max(before.bytes.size(), now.bytes.size());
  const std::size_t shortest = std::min(before.bytes.size(), now.bytes.size());
  mixed.bytes.resize(shortest + below(random, longest - shortest + 1));
  for (std::size_t at = 0; at < std::min(mixed.bytes.size(), now.bytes.size()); at += page_bytes) {
    if (below(random, 2) == 0) continue;
    const std::size_t count = std::min({page_bytes, now.bytes.size() - at, mixed.bytes.size() - at});
    mixed.bytes.replace(at, count, now.bytes, at, count);
  }
  return mixed;
}

void forgetful_disk::note(change what) {
  if (!dark_) changes_.push_back(std::move(what));
}

void forgetful_disk::apply(names& to, const change& what) {
  if (what.what == change::kind::make) {
    to[what.path] = what.inode;
  } else if (what.what == change::kind::remove) {
    to.erase(what.path);
  } else if (const auto found = to.extract(what.path)) {
    to[what.to] = found.mapped();
  }
}

void forgetful_disk::made(const std::string& path) {
  struct stat about {};
  if (::lstat(path.c_str(), &about) != 0) return;
  if (S_ISDIR(about.st_mode)) return note({change::kind::make, path, {}, 0});
  fs::create_hard_link(path, kept(about.st_ino));
  note({change::kind::make, path, {}, about.st_ino});
}

void forgetful_disk::renamed(const std::string& from, const std::string& to) {
  note({change::kind::rename, from, to, 0});
}

void forgetful_disk::removing(const std::string& path) {
  note({change::kind::remove, path, {}, 0});
}

void forgetful_disk::synced(const std::string& path, int file) {
  if (dark_) return;
  struct stat about {};
  ::fstat(file, &about);
  if (!S_ISDIR(about.st_mode)) {
    if (!ignored_.data_sync) contents_[about.st_ino] = current(about.st_ino);
    return;
  }
  if (ignored_.directory_sync) return;
  std::erase_if(changes_, [&](const change& one) {
    if (parent(one.path) != path) return false;
    apply(names_, one);
    return true;
  });
}

// Names too, in reality; what relies on that is not certain.
void forgetful_disk::synced_all() {
  if (dark_ || ignored_.system_sync) return;
  names all = names_;
  for (const auto& one : changes_) apply(all, one);
  for (const auto& [path, inode] : all) {
    if (inode != 0) contents_[inode] = current(inode);
  }
}

}  // namespace baton::test
