// Makes finished part files durable under their final names, many at once: data synced, renamed, directories synced.
// Until commit() has returned, nothing of a batch counts as arrived. Blocking: worker threads only.
//
// A few files are synced one by one; from `single_syncs_max` on, one sync of the file system that they are on is
// cheaper than one sync each (docs/decisions/003).
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "agent/transfer/file.hpp"
#include "agent/transfer/part_file.hpp"

namespace baton::transfer {

inline constexpr std::size_t single_syncs_max = 8;

class commit_batch {
 public:
  void add(part_file& finished);
  std::size_t size() const { return entries_.size(); }
  // For each added file in order: a rendered message of what failed, or empty. The batch is empty afterwards.
  std::vector<std::string> commit();

 private:
  struct entry {
    std::string path, part;
    bool replace = false;
    descriptor file;  // open while there are few
    std::string failure;
  };
  void keep_one_per_file_system(descriptor file);
  void sync_data();
  void rename_all();
  void sync_directories();

  std::vector<entry> entries_;
  std::map<dev_t, descriptor> file_systems_;  // used when there are many
};

}  // namespace baton::transfer
