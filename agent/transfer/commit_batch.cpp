#include "agent/transfer/commit_batch.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "common/messages/message.hpp"
#include "common/text.hpp"

namespace baton::transfer {
namespace {

outcome cannot_rename(const std::string& part, const std::string& path, int failure) {
  if (failure == EEXIST) return failed(render(messages::BFGIO0006E, name_to_text(path)));
  struct stat about {};
  if (failure == ENOENT && ::lstat(part.c_str(), &about) != 0) {
    return failed(render(messages::BFGIO0908E, name_to_text(path), name_to_text(part)));
  }
  return {trouble_of(failure),
          render(messages::BFGIO0341E, name_to_text(part), name_to_text(path), system_text(failure))};
}

}  // namespace

void commit_batch::add(part_file& finished) {
  entries_.push_back(
      {finished.path(), finished.part(), finished.replace(), finished.is_maybe_there(), finished.take_file(), {}});
  bytes_ += finished.size();
  if (entries_.size() < single_syncs_max) return;
  // From the newest on: those before it were kept, or closed, when they came.
  for (auto e = entries_.rbegin(); e != entries_.rend() && e->file.open(); ++e) {
    keep_one_per_file_system(std::move(e->file));
  }
}

void commit_batch::keep_one_per_file_system(descriptor file) {
  struct stat about {};
  if (fstat(file.number(), &about) == 0) file_systems_.try_emplace(about.st_dev, std::move(file));
}

void commit_batch::remove() {
  for (const auto& e : entries_) ::unlink(e.part.c_str());
  clear();
}

void commit_batch::clear() {
  entries_.clear();
  file_systems_.clear();
  bytes_ = 0;
}

std::optional<std::vector<outcome>> commit_batch::commit() {
  sync_data();
  const bool acted = rename_all();
  if (acted) sync_directories();
  std::vector<outcome> outcomes;
  for (auto& e : entries_) outcomes.push_back(std::move(e.came));
  clear();
  if (!acted) return std::nullopt;
  return outcomes;
}

void commit_batch::sync_data() {
  for (auto& e : entries_) {
    if (e.file.open() && fsync(e.file.number()) != 0) e.came = cannot_write(e.path, errno);
  }
  int failure = 0;
  for (const auto& [device, file] : file_systems_) {
    if (syncfs(file.number()) != 0) failure = errno;
  }
  if (failure == 0) return;
  for (auto& e : entries_) {
    if (!e.file.open()) e.came = cannot_write(e.path, failure);
  }
}

// The comparison reads both files, which can take long: whether this instance may act is asked behind it.
bool commit_batch::rename_all() {
  for (auto& e : entries_) {
    const bool there = e.came.ok() && is_there(e);
    if (!may_act_()) return false;
    if (e.came.ok() && !there) {
      const int failure = rename_file(e.part, e.path, e.replace);
      if (failure != 0) e.came = cannot_rename(e.part, e.path, failure);
    }
    if (there || !e.came.ok()) ::unlink(e.part.c_str());
  }
  return true;
}

// What arrived before stays: who has it open, or watches the directory, sees it once. It may have its name without
// being on stable storage.
bool commit_batch::is_there(const entry& e) {
  return e.may_be_there && same_content(e.part, e.path) && sync_file(e.path) == 0;
}

void commit_batch::sync_directories() {
  std::map<std::string, int> synced;
  for (auto& e : entries_) {
    if (!e.came.ok()) continue;
    const std::string directory = parent_of(e.path);
    auto found = synced.find(directory);
    if (found == synced.end()) found = synced.emplace(directory, sync_directory(directory)).first;
    if (found->second != 0) e.came = cannot_write(e.path, found->second);
  }
}

}  // namespace baton::transfer
