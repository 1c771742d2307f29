#include "agent/transfer/left_behind.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "agent/transfer/file.hpp"
#include "agent/transfer/part_file.hpp"
#include "agent/transfer/plan.hpp"
#include "common/formats/requests.hpp"

namespace baton::transfer {
namespace {

constexpr std::uint64_t items_max = 10000;  // behind the first one without a result
constexpr std::size_t directories_bytes_max = 1 << 16;

}  // namespace

std::vector<std::string> directories_of(const std::string& plan, std::uint64_t from,
                                        const std::vector<std::uint64_t>& except) {
  auto items = plan_reader::open(plan);
  if (!items || !items->seek(from)) return {};
  std::set<std::string> found;
  std::size_t bytes = 0;
  for (auto item = items->next(); item && *item && (*item)->number < from + items_max; item = items->next()) {
    if ((*item)->kind != formats::item_kind::file || !(*item)->failure.empty()) continue;
    if (std::binary_search(except.begin(), except.end(), (*item)->number)) continue;
    const std::string directory = parent_of((*item)->destination);
    if (found.contains(directory)) continue;
    bytes += directory.size();
    if (bytes > directories_bytes_max) break;
    found.insert(directory);
  }
  return {found.begin(), found.end()};
}

void remove_left_behind(const std::vector<std::string>& directories, const std::string& root,
                        const std::string& transfer_id, std::uint64_t up_to, const std::function<bool()>& may_act) {
  for (const auto& directory : directories) {
    if (!may_act() || directory.find('\0') != std::string::npos) continue;
    remove_parts(path_below(root, directory), transfer_id, up_to, may_act);
  }
}

void left_behind_remover::add(const formats::finish& end) {
  const bool named = end.transfer_id.size() == formats::transfer_id_digits && !end.directories.empty();
  if (!named || waiting_.size() >= waiting_max) return;
  waiting_.push_back(end);
  if (!busy_) next();
}

void left_behind_remover::next() {
  busy_ = !waiting_.empty() && agent_.epoch() > 0;
  if (!busy_) return;
  agent_.pool().submit([this, &agent = agent_, over = over_, end = std::move(waiting_.front()),
                        root = agent_.settings().transfer_root,
                        before = agent_.epoch() - 1]() -> std::function<void()> {
    remove_left_behind(end.directories, root, end.transfer_id, before,
                       [&agent, over] { return !*over && agent.lease_holds(); });
    return [this, over] {
      if (!*over) next();
    };
  });
  waiting_.pop_front();
}

}  // namespace baton::transfer
