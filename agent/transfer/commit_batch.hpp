// Makes finished part files durable under their final names, many at once: data synced, renamed, directories synced.
// Until commit() has returned, nothing of a batch counts as arrived. Blocking: worker threads only.
//
// A few files are synced one by one; from `single_syncs_max` on, one sync of the file system that they are on is
// cheaper than one sync each (docs/decisions/003).
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/transfer/file.hpp"
#include "agent/transfer/outcome.hpp"
#include "agent/transfer/part_file.hpp"

namespace baton::transfer {

inline constexpr std::size_t single_syncs_max = 8;

class commit_batch {
 public:
  // `may_act` is asked right before each step that cannot be taken back.
  explicit commit_batch(std::function<bool()> may_act) : may_act_(std::move(may_act)) {}
  void add(part_file& finished);
  std::size_t size() const { return entries_.size(); }
  std::uint64_t bytes() const { return bytes_; }  // of the added files
  // They are not wanted: their part files go.
  void remove();
  // For each added file in order what came of it. The batch is empty afterwards. Nothing at all when this instance may
  // not act any more: then nobody may say what became of them.
  std::optional<std::vector<outcome>> commit();

 private:
  struct entry {
    std::string path, part;
    bool replace = false, may_be_there = false;
    descriptor file;  // open while there are few
    outcome came;
  };
  void clear();
  void keep_one_per_file_system(descriptor file);
  void sync_data();
  bool rename_all();
  static bool is_there(const entry& e);
  void sync_directories();

  const std::function<bool()> may_act_;
  std::vector<entry> entries_;
  std::uint64_t bytes_ = 0;
  std::map<dev_t, descriptor> file_systems_;  // used when there are many
};

}  // namespace baton::transfer
