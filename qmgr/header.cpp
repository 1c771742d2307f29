#include "qmgr/header.hpp"

#include <algorithm>

namespace baton::qmgr {
namespace {

// Format codes of AMQP 1.0 part 1, section 1.6.
enum code : unsigned char {
  described = 0x00,
  null_value = 0x40,
  boolean_true = 0x41,
  boolean_false = 0x42,
  uint_zero = 0x43,
  list_empty = 0x45,
  ubyte_value = 0x50,
  uint_small = 0x52,
  ulong_small = 0x53,
  boolean_byte = 0x56,
  uint_full = 0x70,
  ulong_full = 0x80,
  list_small = 0xc0,
  list_full = 0xd0,
};
constexpr unsigned char header_descriptor = 0x70;

// Reads forward through bytes; after the first missing or foreign one `bad` stays set and everything reads as zero.
class reader {
 public:
  explicit reader(std::string_view bytes) : bytes_(bytes) {}
  bool bad = false;
  std::size_t position() const { return at_; }
  unsigned char byte() {
    if (at_ >= bytes_.size()) bad = true;
    return bad ? 0 : static_cast<unsigned char>(bytes_[at_++]);
  }
  std::uint64_t number(int width) {
    std::uint64_t value = 0;
    for (int i = 0; i < width; ++i) value = value << 8 | byte();
    return value;
  }
  // A field that may be null or missing at the end of the list; `width` is that of its full encoding.
  std::uint64_t field(std::uint64_t& left, std::uint64_t otherwise) {
    if (left == 0 || bad) return otherwise;
    --left;
    switch (byte()) {
      case null_value:
        return otherwise;
      case boolean_true:
        return 1;
      case boolean_false:
      case uint_zero:
        return 0;
      case boolean_byte:
      case ubyte_value:
      case uint_small:
        return number(1);
      case uint_full:
        return number(4);
      default:
        bad = true;
        return otherwise;
    }
  }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

bool starts_with_header(std::string_view message) {
  reader in(message);
  if (in.byte() != described) return false;
  const unsigned char form = in.byte();
  if (form == ulong_small) return in.byte() == header_descriptor && !in.bad;
  return form == ulong_full && in.number(8) == header_descriptor && !in.bad;
}

// The size of the list's content and its count of fields.
bool read_list_start(reader& in, std::uint64_t& size, std::uint64_t& count) {
  size = count = 0;
  switch (in.byte()) {
    case list_empty:
      return !in.bad;
    case list_small:
      size = in.number(1), count = in.number(1), size -= 1;
      break;
    case list_full:
      size = in.number(4), count = in.number(4), size -= 4;
      break;
    default:
      return false;
  }
  return !in.bad;
}

void put_uint(std::string& out, std::uint32_t value) {
  out.push_back(static_cast<char>(uint_full));
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift & 0xff));
}

}  // namespace

std::optional<parsed_header> read_header(std::string_view message) {
  parsed_header found;
  if (!starts_with_header(message)) return found;
  reader in(message);
  in.byte();
  in.number(in.byte() == ulong_small ? 1 : 8);
  std::uint64_t size = 0, count = 0;
  if (!read_list_start(in, size, count)) return std::nullopt;
  const std::size_t end = in.position() + size;
  found.values.durable = in.field(count, 0) != 0;
  found.values.priority = static_cast<std::uint8_t>(std::min<std::uint64_t>(in.field(count, 4), 9));
  found.values.ttl_ms = static_cast<std::uint32_t>(in.field(count, 0));
  in.field(count, 0);  // first-acquirer: ours to say
  found.values.delivery_count = static_cast<std::uint32_t>(in.field(count, 0));
  if (in.bad || in.position() != end) return std::nullopt;
  found.length = end;
  return found;
}

std::string write_header(const header& values) {
  std::string out{static_cast<char>(described),
                  static_cast<char>(ulong_small),
                  static_cast<char>(header_descriptor),
                  static_cast<char>(list_small),
                  0,
                  5};
  out.push_back(static_cast<char>(values.durable ? boolean_true : boolean_false));
  out.push_back(static_cast<char>(ubyte_value));
  out.push_back(static_cast<char>(values.priority));
  if (values.ttl_ms == 0) {
    out.push_back(static_cast<char>(null_value));
  } else {
    put_uint(out, values.ttl_ms);
  }
  out.push_back(static_cast<char>(values.delivery_count == 0 ? boolean_true : boolean_false));
  put_uint(out, values.delivery_count);
  out[4] = static_cast<char>(out.size() - 5);
  return out;
}

}  // namespace baton::qmgr
