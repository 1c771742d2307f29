// The body of a data message: a frame of records, so that many small files travel in one message and a large file in
// many. docs/formats.md has the byte layout. All integers are big-endian.
//
//   frame  = "BTNF" version:u8 id:24 bytes epoch:u64 attempt:u64 sequence:u64 record*
//   record = type:u8 length:u32 payload
// A reader skips record types that it does not know, and bytes of a known record behind the fields that it knows.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "common/byte_buffer.hpp"
#include "common/formats/requests.hpp"
#include "common/result.hpp"

namespace baton::formats {

inline constexpr std::uint8_t frame_version = 1;

struct frame_header {
  std::string transfer_id;  // 48 hex digits
  std::uint64_t epoch = 0;
  std::uint64_t attempt = 0;
  std::uint64_t sequence = 0;  // 1, 2, ... within the attempt
};

enum class item_kind : std::uint8_t { file = 0, directory = 1 };

// An item starts, or goes on at `offset`.
struct item_begin {
  std::uint64_t number = 0, offset = 0, size = 0;
  std::uint32_t mode = 0;       // permission bits
  std::int64_t modified_s = 0;  // mtime
  std::uint32_t modified_ns = 0;
  item_kind kind = item_kind::file;
  exist_action exist = exist_action::error;
  file_mode transfer_mode = file_mode::binary;
  checksum_kind checksum = checksum_kind::xxh3;
  std::string_view path;  // at the destination, bytes
};

// Bytes of the current item. `check` is the XXH3-64 of the bytes.
struct item_data {
  std::uint64_t number = 0, offset = 0, check = 0;
  std::string_view bytes;
};

// The item's source has been read to its end; `checksum` is raw digest bytes, empty with none.
struct item_end {
  std::uint64_t number = 0, size = 0;
  std::string_view checksum;
};

// The source cannot go on with this item: the destination drops what it has of it.
struct item_abort {
  std::uint64_t number = 0;
  std::string_view text;
};

// What has come of the item is to be on stable storage before more of it comes. Readers that do not know it lose
// nothing but time.
struct item_sync {
  std::uint64_t number = 0;
};

// No more items.
struct transfer_end {
  std::uint64_t items = 0;
};

using record = std::variant<item_begin, item_data, item_end, item_abort, transfer_end, item_sync>;

// Appends a frame's parts to a buffer. add_data reserves room for the bytes, which the caller then fills in place.
class frame_writer {
 public:
  explicit frame_writer(std::size_t capacity) { buffer_.reserve(capacity); }
  void header(const frame_header& h);
  void add(const item_begin& r);
  void add(const item_end& r);
  void add(const item_abort& r);
  void add(const transfer_end& r);
  void add(const item_sync& r);
  // Reads up to `room` bytes through `fill(buffer, room)`, which returns how many it gave (0: none, nothing is added).
  std::size_t add_data(std::uint64_t number, std::uint64_t offset, std::size_t room,
                       const std::function<std::size_t(char*, std::size_t)>& fill);
  std::size_t size() const { return buffer_.size(); }
  byte_buffer take() { return std::move(buffer_); }

 private:
  void put(std::uint64_t value, int bytes);
  std::size_t open(std::uint8_t type);
  void close(std::size_t start);
  byte_buffer buffer_;
};

inline constexpr std::size_t frame_header_bytes = 4 + 1 + 24 + 8 + 8 + 8;
inline constexpr std::size_t data_record_bytes = 1 + 4 + 8 + 8 + 8;  // around the bytes themselves

// The header only; errc::bad_message when it is not a frame of a known version.
result<frame_header> read_frame_header(std::string_view frame);
// Calls `on` with each record; the views point into `frame`. Stops at the first error, which is returned.
status read_frame_records(std::string_view frame, const std::function<status(const record&)>& on);

// XXH3-64, the check of a data record.
std::uint64_t data_check(std::string_view bytes);

}  // namespace baton::formats
