// The checksum of a whole item, computed piece by piece. Not thread-safe; one object an item.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/formats/requests.hpp"

namespace baton::transfer {

class checksum {
 public:
  explicit checksum(formats::checksum_kind kind);
  ~checksum();
  checksum(checksum&&) noexcept;
  checksum& operator=(checksum&&) noexcept;

  void update(std::string_view bytes);
  // Raw digest bytes: 16 for MD5 and XXH3 (128 bit), 32 for SHA-256, none for none. Ends the computation.
  std::string digest();

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace baton::transfer
