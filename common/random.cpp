#include "common/random.hpp"

#include <sys/random.h>

#include <stdexcept>

#include "common/text.hpp"

namespace baton {

std::string random_hex(std::size_t bytes) {
  std::string raw(bytes, '\0');
  std::size_t got = 0;
  while (got < bytes) {
    const ssize_t count = getrandom(raw.data() + got, bytes - got, 0);
    if (count < 0) throw std::runtime_error("no random bytes from the operating system");
    got += static_cast<std::size_t>(count);
  }
  return to_hex(raw);
}

}  // namespace baton
