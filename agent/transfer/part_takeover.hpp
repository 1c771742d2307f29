// Going on with the part file of an earlier epoch, whose owner may only be paused. Blocking: worker threads only.
#pragma once

#include <cstdint>
#include <string>

namespace baton::transfer {

// Makes the first `bytes` of `from` the part file `to`, in the same directory, which no other process can write to: a
// rename when nobody else has it open, otherwise a copy, and `from` is removed. The bytes are on stable storage; the
// names are after a sync of the directory. errno or 0.
int take_part(const std::string& from, const std::string& to, std::uint64_t bytes);

}  // namespace baton::transfer
