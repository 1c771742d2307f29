// One item while it is being written: `<name>.<start of transfer id>.<item number>.e<epoch>.part` in the directory
// where it will live. Blocking: worker threads only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/transfer/file.hpp"
#include "agent/transfer/outcome.hpp"
#include "agent/transfer/running_checksum.hpp"
#include "common/formats/frame.hpp"

namespace baton::transfer {

class part_file {
 public:
  // `path` is the final one; `part` the one to write to, in the same directory.
  part_file(const formats::item_begin& about, std::string path, std::string part);

  // Creates the part file; the directory must exist.
  outcome create();
  // Goes on behind `offset` after an interruption: what is there behind it is dropped.
  outcome resume(std::uint64_t offset);
  // The next bytes of the source.
  outcome write(const formats::item_data& piece);
  // All bytes are here: compares size and checksum, sets permissions and time. Not yet synced, not yet named.
  outcome finish(const formats::item_end& last);
  // Syncs what has been written; durable() moves up. errno or 0.
  int sync();
  void remove();

  std::uint64_t number() const { return number_; }
  // Bytes of the source that are on stable storage and can be built on: none in text mode, where places differ.
  std::uint64_t durable() const { return durable_; }
  const std::string& digest() const { return digest_; }  // hex, after finish()
  const std::string& path() const { return path_; }
  const std::string& part() const { return part_; }
  bool replace() const { return replace_; }
  // A file with the final name may be this item, which arrived before its result was lost: then it stays as it is.
  void may_be_there() { may_be_there_ = replace_ = true; }
  bool is_maybe_there() const { return may_be_there_; }
  // Of the source, as the item's begin told.
  std::uint64_t size() const { return size_; }
  std::int64_t modified_s() const { return modified_s_; }
  std::uint32_t modified_ns() const { return modified_ns_; }
  descriptor take_file() { return std::move(file_); }

 private:
  int append(std::string_view bytes);
  outcome write_text(std::string_view bytes, bool last);

  std::uint64_t number_, size_;
  std::string path_, part_;
  descriptor file_;
  running_checksum sum_;
  formats::checksum_kind sum_kind_;
  std::uint64_t received_ = 0, written_ = 0,
                durable_ = 0;  // bytes of the source, of the file, of the source and synced
  std::uint32_t mode_;
  std::int64_t modified_s_;
  std::uint32_t modified_ns_;
  bool replace_, text_, may_be_there_ = false;
  bool carriage_return_ = false;  // text mode: a CR waits for what follows it
  std::string digest_;
};

// The part file's path for an item. Names that would be too long for a file system are cut.
std::string part_path(const std::string& path, const std::string& transfer_id, std::uint64_t epoch,
                      std::uint64_t number);

struct found_part {
  std::string part;
  std::uint64_t epoch = 0;
};
// The part files of a transfer in a directory, of any epoch, by item.
std::map<std::uint64_t, std::vector<found_part>> find_parts(const std::string& directory,
                                                            const std::string& transfer_id);
// Removes those of epochs up to this one, each if `may_act` says so; and the same of all of a transfer in a directory.
void remove_parts(const std::vector<found_part>& parts, std::uint64_t up_to, const std::function<bool()>& may_act);
void remove_parts(const std::string& directory, const std::string& transfer_id, std::uint64_t up_to,
                  const std::function<bool()>& may_act);

}  // namespace baton::transfer
