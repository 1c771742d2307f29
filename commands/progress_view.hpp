// Progress of a transfer as text: a bar for a terminal, or a line. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "common/formats/requests.hpp"

namespace baton::commands {

// How fast it is and how long it still takes: from what came between the first progress and now.
class progress_rate {
 public:
  void add(const formats::progress& now);
  std::uint64_t bytes_per_second() const { return rate_; }
  // -1: not known.
  std::int64_t left_ms(const formats::progress& now) const;

 private:
  bool begun_ = false;
  std::uint64_t first_bytes_ = 0, rate_ = 0;
  std::int64_t first_ms_ = 0;
};

// "[=====>    ]  52 %  1.2 GiB of 2.3 GiB  310.0 MiB/s  3.5 s left  file 4 of 9", cut to the columns of the terminal.
std::string progress_bar(const formats::progress& now, const progress_rate& rate, std::size_t columns);
// "RunningTransfer: 4 of 9 files, 1.2 GiB of 2.3 GiB, 310.0 MiB/s, 3.5 s left"
std::string progress_line(const formats::progress& now, const progress_rate& rate);

}  // namespace baton::commands
