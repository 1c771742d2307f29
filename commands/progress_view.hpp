// Progress of a transfer as text: a bar for a terminal, or a line. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "common/formats/requests.hpp"

namespace baton::commands {

// ", 310.0 MiB/s, 3.5 s left, direct, 2 recoveries, 8.0 MiB sent in vain", without what is not known or nothing.
struct pace {
  std::uint64_t rate = 0;
  std::int64_t time_left_ms = -1;
  std::string channel;
  int retries = 0;
  std::uint64_t wasted_bytes = 0;
};
std::string pace_text(const pace& of);

// "[=====>    ]  52 %  1.2 GiB of 2.3 GiB  310.0 MiB/s  3.5 s left  file 4 of 9", cut to the columns of the terminal.
std::string progress_bar(const formats::progress& now, std::size_t columns);
// "RunningTransfer: 4 of 9 files, 1.2 GiB of 2.3 GiB, 310.0 MiB/s, 3.5 s left"
std::string progress_line(const formats::progress& now);

}  // namespace baton::commands
