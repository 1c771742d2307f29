#include "agent/transfer/plan_collector.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "agent/transfer/file.hpp"
#include "common/log.hpp"
#include "common/text.hpp"

namespace baton::transfer {
namespace {

constexpr logger log{"Transfer"};
constexpr std::int64_t again_ms = 2000;

struct part_end {
  std::string failure;     // empty: it is in the file
  bool malformed = false;  // writing it later does not help
};

part_end write_part(const std::string& path, const std::string& packed, std::uint64_t offset) {
  const auto bytes = formats::unpack_plan(packed);
  if (!bytes) return {bytes.error().text, true};
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  const descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  const int failure = file.open() ? write_all(file, *bytes, offset) : errno;
  return {failure == 0 ? "" : fmt::format("{}: {}", path, system_text(failure))};
}

}  // namespace

void plan_collector::add(const formats::plan_part& part, std::function<void()> kept) {
  write(std::make_shared<arrived>(
      arrived{{part.transfer_id, part.plan_check}, part.number, std::string(part.packed), std::move(kept)}));
}

// There is nobody else who has it: what cannot be written now is written later.
void plan_collector::write(std::shared_ptr<const arrived> part) {
  const std::string path = file(part->of.first, part->of.second);
  agent_.pool().submit([this, part, path, over = over_]() -> std::function<void()> {
    const auto end = write_part(path, part->packed, std::uint64_t{part->number} * formats::plan_part_bytes);
    return [this, part, path, over, end] {
      if (*over) return;
      if (end.malformed) return give_up(*part, end.failure);
      if (!end.failure.empty()) return write_later(part, end.failure);
      collections_[part->of].parts.insert(part->number);
      part->kept();
      look(part->of);
    };
  });
}

// Its transfer lacks a part then, and says so. Held, it would be in the way of what comes behind it on STATE.
void plan_collector::give_up(const arrived& part, const std::string& why) {
  log(messages::BFGTR0044E, part.number, part.of.first, why);
  part.kept();
}

void plan_collector::write_later(std::shared_ptr<const arrived> part, const std::string& why) {
  if (!std::exchange(collections_[part->of].told, true))
    log(messages::BFGTR0032W, part->of.first, why, human_duration_ms(again_ms));
  agent_.loop().after(again_ms, [this, part, over = over_] {
    if (*over) return;
    collections_.count(part->of) > 0 ? write(part) : part->kept();
  });
}

void plan_collector::want(const std::string& transfer_id, const plan_summary& plan, std::function<void()> complete) {
  const key of{transfer_id, plan.check};
  collection& known = collections_[of];
  known.wanted = plan.parts;
  known.complete = std::move(complete);
  look(of);
}

void plan_collector::look(const key& of) {
  collection& known = collections_[of];
  if (known.wanted == 0 || known.parts.size() < known.wanted) return;
  const auto complete = std::move(known.complete);
  known.complete = nullptr;
  if (complete) complete();
}

std::uint64_t plan_collector::parts_of(const std::string& transfer_id, std::uint64_t check) const {
  const auto known = collections_.find({transfer_id, check});
  return known == collections_.end() ? 0 : known->second.parts.size();
}

std::string plan_collector::file(const std::string& transfer_id, std::uint64_t check) const {
  return fmt::format("{}/{}.{:016x}.parts", agent_.settings().plan_directory, transfer_id, check);
}

void plan_collector::drop(const std::string& transfer_id) {
  for (auto known = collections_.lower_bound({transfer_id, 0});
       known != collections_.end() && known->first.first == transfer_id;) {
    std::error_code ignored;
    std::filesystem::remove(file(transfer_id, known->first.second), ignored);
    known = collections_.erase(known);
  }
}

}  // namespace baton::transfer
