// Bytes that are about to be filled: room for them is made without writing to it, which for frames of file data would
// cost as much as reading the file. Not shared between threads; moving one moves no byte.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace baton {

class byte_buffer {
 public:
  byte_buffer() = default;
  explicit byte_buffer(std::string_view bytes) { append(bytes); }
  operator std::string_view() const { return {bytes_.data(), bytes_.size()}; }  // NOLINT: meant to convert

  void reserve(std::size_t bytes) { bytes_.reserve(bytes); }
  // What is new has any content.
  void resize(std::size_t bytes) { bytes_.resize(bytes); }
  // In one go: with this allocator the vector's own insert would take byte by byte.
  void append(std::string_view more) {
    const std::size_t before = bytes_.size();
    bytes_.resize(before + more.size());
    if (!more.empty()) std::memcpy(bytes_.data() + before, more.data(), more.size());
  }
  void push_back(char byte) { bytes_.push_back(byte); }
  char& operator[](std::size_t at) { return bytes_[at]; }
  char* data() { return bytes_.data(); }
  const char* data() const { return bytes_.data(); }
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }

 private:
  struct unfilled : std::allocator<char> {
    template <class Other>
    struct rebind {
      using other = unfilled;
    };
    template <class T>
    void construct(T*) const {}
    template <class T, class First, class... Rest>
    void construct(T* at, First&& first, Rest&&... rest) const {
      ::new (static_cast<void*>(at)) T(std::forward<First>(first), std::forward<Rest>(rest)...);
    }
  };
  std::vector<char, unfilled> bytes_;
};

}  // namespace baton
