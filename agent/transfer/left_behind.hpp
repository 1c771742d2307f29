// Part files of items that never got a result, when their transfer ends while the destination agent is away: the
// activation that made them is gone, and the next one knows nothing of a transfer that left no record on STATE. So the
// source says at the end where such items were going. Blocking: worker threads only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace baton::transfer {

// Source: directories, as the destinations in this plan name them, of the files from item `from` on, without those
// `except`, which rises. No more than a message may hold, and of no more items than can be under way; none when the
// plan cannot be read.
std::vector<std::string> directories_of(const std::string& plan, std::uint64_t from,
                                        const std::vector<std::uint64_t>& except);

// Destination: removes the part files that activations up to this epoch left there, as far as `may_act` says that this
// one may. Directories are relative to `root` unless they begin with a slash.
void remove_left_behind(const std::vector<std::string>& directories, const std::string& root,
                        const std::string& transfer_id, std::uint64_t up_to, const std::function<bool()>& may_act);

}  // namespace baton::transfer
