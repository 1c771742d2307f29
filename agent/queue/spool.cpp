#include "agent/queue/spool.hpp"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "common/text.hpp"

namespace baton::queue {
namespace {
constexpr std::int64_t look_for_room_ms = 1000;
}

struct spool::file {
  std::string path;
  transfer::checksum sum;
  transfer::descriptor at;
  spooled state;
  bool whole = false;
  std::string unwritten;  // for want of room, for which there is this reason
  std::string no_room;

  // Whether it goes on.
  bool good(int failure) {
    if (failure == 0) return true;
    const std::string why = path + ": " + system_text(failure);
    (failure == ENOSPC || failure == EDQUOT ? no_room : state.failure) = why;
    return false;
  }
  bool begun() {
    std::string blocked;
    return at.open() || (good(transfer::make_directories(transfer::parent_of(path), blocked)) &&
                         good(transfer::open_fresh(path, at)));
  }
  void write(std::string_view bytes, bool last) {
    if (!state.failure.empty()) return;
    unwritten += bytes;
    no_room.clear();
    if (!begun() || !good(transfer::write_all(at, unwritten, state.bytes))) return;
    sum.update(unwritten);
    state.bytes += unwritten.size();
    unwritten.clear();
    if (last) finish();
  }
  // A sync that failed is not tried again, for want of room either: the second one can succeed without the data.
  void finish() {
    int failure = fdatasync(at.number()) == 0 ? 0 : errno;
    if (failure == 0) failure = transfer::sync_directory(transfer::parent_of(path));
    if (failure != 0) {
      state.failure = path + ": " + system_text(failure);
      return;
    }
    state.digest = sum.digest();
    whole = true;
  }
};

spool::spool(event_loop& loop, worker_pool& pool, std::string path, formats::checksum_kind kind, handlers to)
    : loop_(loop),
      pool_(pool),
      to_(std::move(to)),
      file_(new file{std::move(path), transfer::checksum(kind), {}, {}, false, {}, {}}) {}

void spool::add(std::string_view before, std::string_view body, std::string_view behind) {
  for (const auto part : {before, body, behind}) pending_ += part;
  ++pending_messages_;
  write_next();
}

void spool::finish(std::function<void(const spooled&)> then) {
  finished_ = std::move(then);
  write_next();
}

void spool::stop() {
  to_ = {};
  finished_ = nullptr;
  stopped_ = true;
}

// What comes while a piece is being written becomes the next piece.
void spool::write_next() {
  if (busy_ || (pending_messages_ == 0 && !finished_)) return;
  busy_ = true;
  write(std::exchange(pending_, {}), std::exchange(pending_messages_, 0));
}

void spool::write(std::string bytes, std::uint64_t messages) {
  pool_.submit([weak = weak_from_this(), to = file_, bytes = std::move(bytes), messages,
                last = finished_ != nullptr]() -> std::function<void()> {
    to->write(bytes, last);
    return [weak, messages] {
      if (const auto self = weak.lock()) self->wrote(messages);
    };
  });
}

// Who waits for `messages` to be written hears nothing meanwhile, so that nothing more comes than it has asked for.
void spool::wait_for_room(std::uint64_t messages) {
  if (const auto waits = std::exchange(to_.waits, nullptr)) waits(file_->no_room);
  loop_.after(look_for_room_ms, [weak = weak_from_this(), messages] {
    const auto self = weak.lock();
    if (!self || self->stopped_) return;
    self->write(std::exchange(self->pending_, {}), messages + std::exchange(self->pending_messages_, 0));
  });
}

void spool::wrote(std::uint64_t messages) {
  if (!file_->no_room.empty()) return wait_for_room(messages);
  busy_ = false;
  if (messages > 0 && to_.written) to_.written(messages);
  if (file_->whole || !file_->state.failure.empty()) {
    if (const auto then = std::exchange(finished_, nullptr)) return then(file_->state);
  }
  write_next();
}

}  // namespace baton::queue
