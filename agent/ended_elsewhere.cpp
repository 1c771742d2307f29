#include "agent/ended_elsewhere.hpp"

#include <fmt/format.h>

#include "common/formats/requests.hpp"
#include "common/log.hpp"
#include "common/text.hpp"
#include "properties/atomic_file.hpp"

namespace baton::agent {
namespace {
constexpr logger log{"Agent"};
constexpr std::size_t ids_max = 10000;
}  // namespace

const std::deque<std::string>& ended_elsewhere::load() {
  const auto content = read_small_file(file_);
  for (const std::string& line : split(content ? *content : std::string(), '\n')) {
    if (line.size() == formats::transfer_id_digits) ids_.push_back(line);
  }
  return ids_;
}

void ended_elsewhere::add(const std::string& transfer_id) {
  ids_.push_back(transfer_id);
  if (ids_.size() > ids_max) ids_.pop_front();
  pool_.submit([file = file_, text = fmt::format("{}\n", fmt::join(ids_, "\n"))]() -> std::function<void()> {
    const auto kept = write_file_atomically(file, text);
    if (!kept) log(messages::BFGAG0931W, file, kept.error().text);
    return nullptr;
  });
}

}  // namespace baton::agent
