// Writes the frames of one transfer to disk, in order. Blocking: one worker thread at a time. What it reports as ended
// well is on stable storage under its final name, and not before.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/transfer/commit_batch.hpp"
#include "agent/transfer/part_file.hpp"
#include "common/formats/frame.hpp"
#include "common/formats/transfer.hpp"

namespace baton::transfer {

struct written_frame {
  std::vector<formats::item_result> results;
  formats::position durable;
  std::uint64_t data_bytes = 0;
  bool complete = false;
  std::string broken;  // the frame cannot be read: the source has to send again
};

struct writer_options {
  std::string transfer_id;
  std::uint64_t epoch = 0;              // of this agent's lock
  std::uint32_t checkpoint_frames = 1;  // the open item is synced after so many frames
  std::string root;                     // where relative destination paths start
  bool again = false;                   // an earlier run of this agent may have received items already
};

class destination_writer {
 public:
  destination_writer(writer_options options, std::uint64_t first_item)
      : options_(std::move(options)), next_item_(first_item) {}

  written_frame write(std::string_view frame);
  // Where the source has to go on: everything before is on stable storage.
  formats::position durable() const;
  // The source sends again from durable(): what came after it is forgotten.
  void rewind();
  // The transfer is over: a part file that is left goes.
  void discard();

 private:
  bool is_open(std::uint64_t number) const;  // and its records are wanted
  void on(const formats::record& r);
  void begin(const formats::item_begin& r);
  std::string begin_file(const formats::item_begin& r, const std::string& path);
  std::string ensure_directory(const std::string& path);
  void end(const formats::item_end& r);
  void fail(std::string text);
  void commit();
  void checkpoint();

  const writer_options options_;
  std::optional<part_file> current_;
  std::optional<std::uint64_t> ignored_;  // the rest of this item is not wanted
  std::uint64_t next_item_;               // the lowest number that has not begun
  commit_batch batch_;
  std::vector<formats::item_result> finished_;  // of the batch, in its order
  std::set<std::string> known_directories_;     // seen in this frame
  std::uint32_t frames_since_checkpoint_ = 0;
  written_frame out_;
};

}  // namespace baton::transfer
