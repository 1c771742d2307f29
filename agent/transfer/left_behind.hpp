// Part files of items that never got a result, when their transfer ends while the destination agent is away: the
// activation that made them is gone, and the next one knows nothing of a transfer that left no record on STATE. So the
// source says at the end where such items were going.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/transfer/services.hpp"
#include "common/formats/transfer.hpp"

namespace baton::transfer {

// Source: directories, as the destinations in this plan name them, of the files from item `from` on, without those
// `except`, which rises. Of 10,000 items, and 64 KiB of names; none when the plan cannot be read. Blocking: worker
// threads only.
std::vector<std::string> directories_of(const std::string& plan, std::uint64_t from,
                                        const std::vector<std::uint64_t>& except);

// Destination: removes the part files that activations up to the epoch `up_to` left there, as far as `may_act` says
// that this one may. Directories are relative to `root` unless they begin with a slash. Blocking: worker threads only.
void remove_left_behind(const std::vector<std::string>& directories, const std::string& root,
                        const std::string& transfer_id, std::uint64_t up_to, const std::function<bool()>& may_act);

// Does that for what earlier activations of this agent left, with one worker at a time, so that transfers do not wait
// for it; what more ends name than may wait stays. Loop thread.
class left_behind_remover {
 public:
  explicit left_behind_remover(services& agent) : agent_(agent) {}
  ~left_behind_remover() { *over_ = true; }
  void add(const formats::finish& end);

 private:
  void next();

  static constexpr std::size_t waiting_max = 1000;
  services& agent_;
  std::deque<formats::finish> waiting_;
  bool busy_ = false;
  std::shared_ptr<std::atomic<bool>> over_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace baton::transfer
