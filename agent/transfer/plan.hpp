// The plan of a transfer: the list of its items, in a file, so that memory does not depend on their count and a
// restarted agent finds the same items under the same numbers. Written once, synced, then only read.
//
//   plan   = "BTNP" version:u8 record* ; record = length:u32 payload ; the last payload is empty: a plan without it
//            is incomplete and is made again. Integers are big-endian.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "common/formats/frame.hpp"
#include "common/result.hpp"

namespace baton::transfer {

// What tells whether a file is still the same one. Not its device: a file system that two hosts share has another
// number on each.
struct file_identity {
  std::uint64_t size = 0, device = 0, inode = 0;
  std::int64_t modified_s = 0;
  std::uint32_t modified_ns = 0;
  bool operator==(const file_identity& o) const {
    return size == o.size && inode == o.inode && modified_s == o.modified_s && modified_ns == o.modified_ns;
  }
};

struct plan_item {
  std::uint64_t number = 0;  // position in the plan, from 0; not stored
  formats::item_kind kind = formats::item_kind::file;
  std::uint32_t spec = 0;           // which of the request's specifications it came from
  std::string source, destination;  // bytes
  file_identity identity;
  std::uint32_t mode = 0;  // permission bits
  std::string failure;     // a rendered message: the item failed while planning
  // Of messages of a queue: what they are known by (agent/queue/intake.hpp), and the raw checksum of the file that they
  // are.
  std::string messages, digest;
};

struct plan_totals {
  std::uint64_t items = 0, bytes = 0;
};

// Where the messages of a queue are, if the plan at this path has some.
inline std::string messages_file_of(const std::string& plan) {
  return plan + ".messages";
}

class plan_writer {
 public:
  static result<plan_writer> create(const std::filesystem::path& path);
  void add(const plan_item& item);
  const plan_totals& totals() const { return totals_; }
  // Ends and syncs the file. Any write error since create() comes out here.
  status finish();

 private:
  explicit plan_writer(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
  std::ofstream out_;
  plan_totals totals_;
};

class plan_reader {
 public:
  // errc::not_found without a file, bad_message for one that is not a complete plan.
  static result<plan_reader> open(const std::filesystem::path& path);
  // The next item, or none at the end.
  result<std::optional<plan_item>> next();
  // Goes to an item; at or past the end, next() gives none. Forward it reads what is between, backward all before.
  status seek(std::uint64_t number);

 private:
  explicit plan_reader(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
  std::ifstream in_;
  std::uint64_t next_number_ = 0;
};

// The items with these numbers, which rise; those that are not in the plan are left out.
result<std::vector<plan_item>> find_items(plan_reader& plan, const std::vector<std::uint64_t>& numbers);

// What tells whether a plan file is the one that a record names. It is kept on STATE in parts of plan_part_bytes.
struct plan_summary {
  std::uint64_t bytes = 0, parts = 0;
  std::uint64_t check = 0;  // XXH3-64 of the parts' XXH3-64s, 8 bytes each
};
// Reads the whole file once. errc::not_found without one.
result<plan_summary> summarise_plan(const std::filesystem::path& path);
// Makes a file that was put together from parts the plan at `path`, if it is the one that is wanted.
status adopt_plan_file(const std::filesystem::path& parts, const std::filesystem::path& path, const plan_summary& as);

}  // namespace baton::transfer
