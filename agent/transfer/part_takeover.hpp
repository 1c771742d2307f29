// Going on with the part file of an earlier epoch, whose owner may only be paused. Blocking: worker threads only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace baton::transfer {

// The item that is open in a part file, as far as an adopting instance needs to know it.
struct open_part {
  std::uint64_t number = 0;
  std::uint64_t offset = 0;  // bytes that are on stable storage
  std::string path, part;
  std::uint64_t size = 0;
  std::int64_t modified_s = 0;
  std::uint32_t modified_ns = 0;
};

// Takes over the part file of `left`, of any earlier epoch: the newest that has the durable bytes gets this epoch into
// its name, which `left.part` says then, and those of lower epochs are removed. True: the bytes and the name are on
// stable storage and nobody else writes to it. False: there is none, or `may_act` said no; the item begins anew.
bool take_over_part(open_part& left, const std::string& transfer_id, std::uint64_t epoch,
                    const std::function<bool()>& may_act);

// Its step that moves: makes the first `bytes` of `from` the part file `to`, in the same directory, which no other
// process can write to: a rename when nobody else has it open, otherwise a copy, and `from` is removed. The bytes are
// on stable storage; the names are after a sync of the directory. errno or 0.
int take_part(const std::string& from, const std::string& to, std::uint64_t bytes);

}  // namespace baton::transfer
