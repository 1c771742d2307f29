// Writes the frames of one transfer to disk, in order. Blocking: one worker thread at a time. What it reports as ended
// well is on stable storage under its final name, and not before.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/transfer/commit_batch.hpp"
#include "agent/transfer/part_file.hpp"
#include "agent/transfer/part_takeover.hpp"
#include "common/formats/frame.hpp"
#include "common/formats/transfer.hpp"

namespace baton::transfer {

struct written_frame {
  std::vector<formats::item_result> results;
  formats::position durable;
  std::uint64_t data_bytes = 0;
  bool complete = false;
  // damaged or no_room: the frame was not written to its end, and the source has to send again from `durable`.
  outcome halted;
  bool dropped = false;  // this instance may not act: nothing may be told of what became of the frame
};

struct writer_options {
  std::string transfer_id;
  std::uint64_t epoch = 0;                              // of this agent's lock
  std::uint32_t checkpoint_frames = 1;                  // the open item is synced after so many frames,
  std::uint64_t checkpoint_bytes = UINT64_MAX;          // or so much of its data
  std::string root;                                     // where relative destination paths start
  bool again = false;                                   // an earlier run of this agent may have received items already
  std::function<bool()> may_act = [] { return true; };  // asked right before each step that cannot be taken back
};

class destination_writer {
 public:
  destination_writer(writer_options options, std::uint64_t first_item)
      : options_(std::move(options)),
        next_item_(first_item),
        batch_(options_.may_act),
        earlier_run_(options_.again),
        again_(options_.again) {}

  // The same as writer_options::again, when it becomes known later.
  void expect_earlier_run() { earlier_run_ = again_ = true; }

  // Takes over what an earlier activation left: its part file gets this one's epoch into its name, and only then its
  // bytes are believed. When it is gone or too short, the item begins anew.
  void adopt(open_part left);
  // The source has results up to here, and nobody has those behind it: what comes there is received again.
  void begin_at(std::uint64_t results_from);

  // With `more`, another frame is there already: small files that are finished wait for those in it, so that one sync
  // serves them all.
  written_frame write(std::string_view frame, bool more = false);
  // Where the source has to go on: everything before is on stable storage.
  formats::position durable() const;
  // The item whose start is on stable storage, if there is one.
  std::optional<open_part> open_item() const;
  // The source sends again from durable(): what came after it is forgotten. Items that are `done` all the same, and
  // whose results it is told again, are not received twice.
  void rewind(std::set<std::uint64_t> done = {});
  // The transfer is over: part files that are left go.
  void discard();

 private:
  void drop_all();
  void drop_open();
  bool is_open(std::uint64_t number) const;  // and its records are wanted
  void on(const formats::record& r);
  void begin(const formats::item_begin& r);
  bool go_on(const formats::item_begin& r);
  outcome begin_item(const formats::item_begin& r);
  outcome begin_file(const formats::item_begin& r, const std::string& path);
  bool has_brought(const formats::item_begin& r, const std::string& path) const;
  void remove_left_over(const std::string& directory, std::uint64_t number);
  outcome ensure_directory(const std::string& path);
  void end(const formats::item_end& r);
  void fail(std::string text);
  void give_up(outcome why);
  bool damaged_again(const formats::item_data& piece);
  void halt(outcome why);
  bool commit_may_wait(bool more) const;
  void commit();
  void send_again_from(std::uint64_t number, outcome why);
  void checkpoint();

  const writer_options options_;
  std::optional<part_file> current_;
  std::optional<open_part> adopted_;  // not gone on with yet
  // Part files of earlier activations, by directory and item; read once for each directory.
  std::map<std::string, std::map<std::uint64_t, std::vector<found_part>>> left_over_;
  std::set<std::uint64_t> done_;
  std::set<std::string> directories_;     // where parts of this activation were
  std::optional<std::uint64_t> ignored_;  // the rest of this item is not wanted
  std::uint64_t next_item_;               // the lowest number that has not begun
  commit_batch batch_;
  std::vector<formats::item_result> finished_;  // of the batch, in its order
  std::set<std::string> known_directories_;     // seen in this frame
  std::uint32_t frames_since_checkpoint_ = 0;
  std::uint64_t bytes_since_checkpoint_ = 0;
  formats::position damaged_at_;  // where a piece of data was damaged last,
  int damaged_times_ = 0;         // and how often in a row
  bool earlier_run_ = false;      // of this agent, whose part files may be there
  bool again_ = false;            // items may have their names that the source was not told of
  bool over_ = false;             // it was not allowed to act: nothing more is done in this attempt
  written_frame out_;
};

}  // namespace baton::transfer
