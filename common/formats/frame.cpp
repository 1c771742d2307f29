#include "common/formats/frame.hpp"

#include <fmt/format.h>

#include "common/bytes.hpp"
#include "common/text.hpp"
#include "common/xxh3.hpp"

namespace baton::formats {
namespace {

constexpr std::string_view magic = "BTNF";
enum record_type : std::uint8_t {
  type_begin = 1,
  type_data = 2,
  type_end = 3,
  type_abort = 4,
  type_last = 5,
  type_sync = 6
};

template <class E>
E take_enum(byte_reader& in, std::uint64_t last) {
  const std::uint64_t value = in.take(1);
  if (value > last) in.ok = false;
  return static_cast<E>(in.ok ? value : 0);
}

bool read_begin(byte_reader& in, record& out) {
  item_begin r;
  r.number = in.take(8);
  r.offset = in.take(8);
  r.size = in.take(8);
  r.mode = static_cast<std::uint32_t>(in.take(4));
  r.modified_s = static_cast<std::int64_t>(in.take(8));
  r.modified_ns = static_cast<std::uint32_t>(in.take(4));
  r.kind = take_enum<item_kind>(in, 1);
  r.exist = take_enum<exist_action>(in, 1);
  r.transfer_mode = take_enum<file_mode>(in, 1);
  r.checksum = take_enum<checksum_kind>(in, 3);
  r.path = in.take_bytes(in.take(2));
  out = r;
  return in.ok;
}

bool read_data(byte_reader& in, record& out) {
  item_data r;
  r.number = in.take(8);
  r.offset = in.take(8);
  r.check = in.take(8);
  r.bytes = in.rest;
  out = r;
  return in.ok;
}

bool read_payload(std::uint8_t type, byte_reader& in, record& out) {
  switch (type) {
    case type_begin:
      return read_begin(in, out);
    case type_data:
      return read_data(in, out);
    case type_end: {
      item_end r;
      r.number = in.take(8);
      r.size = in.take(8);
      r.checksum = in.take_bytes(in.take(1));
      out = r;
      return in.ok;
    }
    case type_abort: {
      item_abort r;
      r.number = in.take(8);
      r.text = in.take_bytes(in.take(2));
      out = r;
      return in.ok;
    }
    case type_sync: {
      item_sync r;
      r.number = in.take(8);
      out = r;
      return in.ok;
    }
    default: {
      transfer_end r;
      r.items = in.take(8);
      out = r;
      return in.ok;
    }
  }
}

}  // namespace

std::uint64_t data_check(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

void frame_writer::put(std::uint64_t value, int bytes) {
  put_bytes(buffer_, value, bytes);
}

std::size_t frame_writer::open(std::uint8_t type) {
  put(type, 1);
  put(0, 4);
  return buffer_.size();
}

void frame_writer::close(std::size_t start) {
  const std::uint64_t length = buffer_.size() - start;
  for (std::size_t i = 0; i < 4; ++i) buffer_[start - 4 + i] = static_cast<char>(length >> (24 - 8 * i) & 0xFF);
}

void frame_writer::header(const frame_header& h) {
  buffer_.append(magic);
  put(frame_version, 1);
  buffer_.append(from_hex(h.transfer_id).value_or(std::string(24, '\0')));
  put(h.epoch, 8);
  put(h.attempt, 8);
  put(h.sequence, 8);
}

void frame_writer::add(const item_begin& r) {
  const std::size_t start = open(type_begin);
  put(r.number, 8);
  put(r.offset, 8);
  put(r.size, 8);
  put(r.mode, 4);
  put(static_cast<std::uint64_t>(r.modified_s), 8);
  put(r.modified_ns, 4);
  put(static_cast<std::uint8_t>(r.kind), 1);
  put(static_cast<std::uint8_t>(r.exist), 1);
  put(static_cast<std::uint8_t>(r.transfer_mode), 1);
  put(static_cast<std::uint8_t>(r.checksum), 1);
  put(r.path.size(), 2);
  buffer_.append(r.path);
  close(start);
}

void frame_writer::add(const item_end& r) {
  const std::size_t start = open(type_end);
  put(r.number, 8);
  put(r.size, 8);
  put(r.checksum.size(), 1);
  buffer_.append(r.checksum);
  close(start);
}

void frame_writer::add(const item_abort& r) {
  const std::size_t start = open(type_abort);
  put(r.number, 8);
  const auto text = r.text.substr(0, 1000);
  put(text.size(), 2);
  buffer_.append(text);
  close(start);
}

void frame_writer::add(const transfer_end& r) {
  const std::size_t start = open(type_last);
  put(r.items, 8);
  close(start);
}

void frame_writer::add(const item_sync& r) {
  const std::size_t start = open(type_sync);
  put(r.number, 8);
  close(start);
}

std::size_t frame_writer::add_data(std::uint64_t number, std::uint64_t offset, std::size_t room,
                                   const std::function<std::size_t(char*, std::size_t)>& fill) {
  const std::size_t before = buffer_.size();
  const std::size_t start = open(type_data);
  put(number, 8);
  put(offset, 8);
  put(0, 8);
  const std::size_t data = buffer_.size();
  buffer_.resize(data + room);
  const std::size_t got = fill(buffer_.data() + data, room);
  buffer_.resize(got == 0 ? before : data + got);
  if (got == 0) return 0;
  const std::uint64_t check = data_check(std::string_view(buffer_).substr(data));
  for (std::size_t i = 0; i < 8; ++i) buffer_[data - 8 + i] = static_cast<char>(check >> (56 - 8 * i) & 0xFF);
  close(start);
  return got;
}

result<frame_header> read_frame_header(std::string_view frame) {
  if (frame.size() < frame_header_bytes || frame.substr(0, magic.size()) != magic) {
    return error{errc::bad_message, fmt::format("data message of {} bytes is not a frame", frame.size())};
  }
  const auto version = static_cast<std::uint8_t>(frame[magic.size()]);
  if (version != frame_version) {
    return error{errc::bad_message, fmt::format("frame version {} is not the known one, {}", version, frame_version)};
  }
  byte_reader in{frame.substr(magic.size() + 1)};
  frame_header h;
  h.transfer_id = to_hex(in.take_bytes(24));
  h.epoch = in.take(8);
  h.attempt = in.take(8);
  h.sequence = in.take(8);
  return h;
}

status read_frame_records(std::string_view frame, const std::function<status(const record&)>& on) {
  if (frame.size() < frame_header_bytes) return error{errc::bad_message, "frame without a header"};
  std::string_view rest = frame.substr(frame_header_bytes);
  while (!rest.empty()) {
    byte_reader head{rest};
    const auto type = static_cast<std::uint8_t>(head.take(1));
    const auto payload = head.take_bytes(head.take(4));
    const std::size_t at = static_cast<std::size_t>(rest.data() - frame.data());
    if (!head.ok) return error{errc::bad_message, fmt::format("frame ends inside the record at byte {}", at)};
    rest = head.rest;
    if (type < type_begin || type > type_sync) continue;
    record r;
    byte_reader in{payload};
    if (!read_payload(type, in, r)) {
      return error{errc::bad_message, fmt::format("record of type {} at byte {} is damaged", type, at)};
    }
    if (const auto handled = on(r); !handled) return handled;
  }
  return done();
}

}  // namespace baton::formats
