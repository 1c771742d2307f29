#include "agent/remembered_epoch.hpp"

#include <cstdlib>
#include <functional>
#include <utility>

#include "common/log.hpp"
#include "common/messages/message.hpp"
#include "properties/atomic_file.hpp"

namespace baton::agent {
namespace {
constexpr logger log{"Instance"};
}

remembered_epoch::remembered_epoch(worker_pool& pool, std::string file) : pool_(pool), file_(std::move(file)) {
  if (file_.empty()) return;
  const auto content = read_small_file(file_);
  if (content) highest_ = std::strtoull(content->c_str(), nullptr, 10);
}

void remembered_epoch::remember(std::uint64_t epoch) {
  if (file_.empty() || epoch <= highest_) return;
  highest_ = epoch;
  pool_.submit([file = file_, epoch]() -> std::function<void()> {
    const auto kept = write_file_atomically(file, std::to_string(epoch) + "\n");
    if (!kept) log(messages::BFGAG0926W, file, kept.error().text);
    return nullptr;
  });
}

}  // namespace baton::agent
