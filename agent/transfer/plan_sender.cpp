#include "agent/transfer/plan_sender.hpp"

#include "agent/transfer/file.hpp"
#include "common/formats/state.hpp"

namespace baton::transfer {
namespace {
constexpr std::uint64_t under_way_max = 4;  // parts that are in memory at once
}

plan_sender::plan_sender(services& agent, std::string transfer_id, std::string path, plan_summary plan, handlers to)
    : agent_(agent), transfer_id_(std::move(transfer_id)), path_(std::move(path)), plan_(plan), to_(std::move(to)) {}

void plan_sender::start() {
  read_next();
}

void plan_sender::read_next() {
  if (over_ || reading_ || sent_ == plan_.parts || sent_ - settled_ >= under_way_max) return;
  reading_ = true;
  agent_.pool().submit([weak = weak_from_this(), path = path_, number = sent_]() -> std::function<void()> {
    auto bytes = std::make_shared<std::string>(formats::plan_part_bytes, '\0');
    descriptor file;
    struct stat about {};
    std::size_t got = 0;
    if (open_to_read(path, file, about) == 0) {
      (void)read_some(file, bytes->data(), bytes->size(), number * formats::plan_part_bytes, got);
    }
    bytes->resize(got);
    if (got > 0) *bytes = formats::pack_plan(*bytes);
    return [weak, bytes, number] {
      if (const auto self = weak.lock()) self->send(number, *bytes);
    };
  });
}

void plan_sender::send(std::uint64_t number, const std::string& packed) {
  reading_ = false;
  if (over_) return;
  if (packed.empty()) return settle(false);
  ++sent_;
  const formats::plan_part part{transfer_id_, plan_.check, static_cast<std::uint32_t>(number),
                                static_cast<std::uint32_t>(plan_.parts), packed};
  agent_.save(part, [weak = weak_from_this()](bool kept) {
    if (const auto self = weak.lock()) self->settle(kept);
  });
  if (sent_ == plan_.parts) to_.all_sent();
  read_next();
}

void plan_sender::settle(bool kept) {
  if (over_) return;
  if (!kept || ++settled_ == plan_.parts) {
    over_ = true;
    return to_.settled(kept);
  }
  read_next();
}

}  // namespace baton::transfer
