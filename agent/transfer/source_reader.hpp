// Reads the items of a plan and packs them into frames, in order. Blocking: one worker thread at a time; skip() alone
// may be called from another thread meanwhile.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/transfer/file.hpp"
#include "agent/transfer/plan.hpp"
#include "agent/transfer/running_checksum.hpp"
#include "common/formats/frame.hpp"
#include "common/formats/transfer.hpp"

namespace baton::transfer {

// An item whose reading has ended, well or badly. It leaves this side's memory when its result is known.
struct read_item {
  plan_item item;
  std::string checksum;  // hex, of the bytes read
  std::string failure;   // a rendered message; empty: read to the end
  bool told = true;      // the destination was told of it, so it will answer with a result
};

struct read_frame {
  byte_buffer bytes;  // to send
  std::vector<read_item> ended;
  std::uint64_t data_bytes = 0;
  std::string current;  // the source of the last item in it, for showing
  bool last = false;    // the frame ends the transfer
  bool waits = false;   // there is no more to read before messages_are_taken()
  std::string broken;   // the plan itself cannot be read: the transfer fails with this text
};

// An item while it is read. (Not inside the class: clang 14 cannot make an optional of it there.)
struct item_being_read {
  plan_item item;
  descriptor file;
  running_checksum sum{formats::checksum_kind::none};
  std::uint64_t offset = 0;
  bool told = false;
};

class source_reader {
 public:
  // `request` must outlive the reader.
  source_reader(plan_reader plan, const formats::transfer_request& request, formats::frame_header header,
                std::size_t chunk_bytes, std::string messages_file = {});

  // Where to start; before the first next_frame. Items in `done` are passed over.
  status seek(const formats::position& from);
  void pass_over(std::set<std::uint64_t> done) { done_ = std::move(done); }
  void set_chunk_bytes(std::size_t bytes) { chunk_bytes_ = bytes; }  // of the frames from now on
  read_frame next_frame();
  // Any thread: the destination refused this item, so the rest of it need not be read.
  void skip(std::uint64_t number) { skip_ = number; }
  // Likewise: the messages that the item is made of are off their queue, so it may end.
  void messages_are_taken() { taken_ = true; }

 private:
  bool begin_next(read_frame& out, formats::frame_writer& frame);
  std::string open_current(std::uint64_t offset);
  void read_current(read_frame& out, formats::frame_writer& frame);
  void wait_for_messages(read_frame& out, formats::frame_writer& frame);
  void end_current(read_frame& out, formats::frame_writer& frame);
  void fail_current(read_frame& out, formats::frame_writer& frame, std::string text);
  void add_begin(formats::frame_writer& frame);
  const formats::transfer_spec& spec() const { return request_.specs.at(current_->item.spec); }

  plan_reader plan_;
  const formats::transfer_request& request_;
  formats::frame_header header_;
  std::size_t chunk_bytes_;
  std::uint64_t items_ = 0;   // of the plan, when its end has been seen
  formats::position resume_;  // where one item goes on in its middle
  std::set<std::uint64_t> done_;
  std::optional<item_being_read> current_;
  std::atomic<std::uint64_t> skip_{UINT64_MAX};
  std::atomic<bool> taken_{false};
  const std::string messages_file_;  // where a queue's messages are, when the plan has some
};

// Opens a reader at a position, with the items from `entered` up to there.
struct opened_reader {
  std::shared_ptr<source_reader> reader;
  std::vector<plan_item> before;
  std::string failure;  // a rendered message; then there is no reader
};
struct reader_start {
  std::string plan;  // path
  formats::frame_header header;
  std::size_t chunk_bytes = 0;
  formats::position from;
  std::uint64_t entered = 0;
};
opened_reader open_reader(const formats::transfer_request& request, const reader_start& start);

}  // namespace baton::transfer
