// Big-endian fields, as the binary formats of Baton have them. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace baton {

template <class Bytes>
void put_bytes(Bytes& out, std::uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift & 0xFF));
}

// Takes fields off the front of `rest`; `ok` turns false, and stays so, when it is too short.
struct byte_reader {
  std::string_view rest;
  bool ok = true;

  std::uint64_t take(std::size_t bytes) {
    std::uint64_t value = 0;
    for (const char c : take_bytes(bytes)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  std::string_view take_bytes(std::size_t count) {
    if (rest.size() < count) ok = false;
    if (!ok) return {};
    const auto bytes = rest.substr(0, count);
    rest.remove_prefix(count);
    return bytes;
  }
};

}  // namespace baton
