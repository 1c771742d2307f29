// Random identifiers. Any thread.
#pragma once

#include <cstddef>
#include <string>

namespace baton {

// Random bytes from the operating system, as lower-case hex: 2 * bytes digits.
std::string random_hex(std::size_t bytes);

}  // namespace baton
