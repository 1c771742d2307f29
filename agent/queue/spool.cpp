#include "agent/queue/spool.hpp"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "common/text.hpp"

namespace baton::queue {

struct spool::file {
  std::string path;
  transfer::checksum sum;
  transfer::descriptor at;
  spooled state;
  bool whole = false;

  void fail(int failure) {
    if (failure != 0 && state.failure.empty()) state.failure = path + ": " + system_text(failure);
  }
  void begin() {
    std::string blocked;
    fail(transfer::make_directories(transfer::parent_of(path), blocked));
    if (state.failure.empty()) fail(transfer::open_fresh(path, at));
  }
  void write(std::string_view bytes) {
    if (!at.open()) begin();
    if (!state.failure.empty()) return;
    fail(transfer::write_all(at, bytes, state.bytes));
    sum.update(bytes);
    state.bytes += bytes.size();
  }
  void finish() {
    write({});
    if (!state.failure.empty()) return;
    if (fdatasync(at.number()) != 0) return fail(errno);
    fail(transfer::sync_directory(transfer::parent_of(path)));
    state.digest = sum.digest();
    whole = true;
  }
};

spool::spool(worker_pool& pool, std::string path, formats::checksum_kind kind,
             std::function<void(std::uint64_t)> written)
    : pool_(pool),
      written_(std::move(written)),
      file_(new file{std::move(path), transfer::checksum(kind), {}, {}, false}) {}

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
  written_ = nullptr;
  finished_ = nullptr;
}

// What comes while a piece is being written becomes the next piece.
void spool::write_next() {
  if (busy_ || (pending_messages_ == 0 && !finished_)) return;
  busy_ = true;
  pool_.submit([weak = weak_from_this(), to = file_, bytes = std::exchange(pending_, {}),
                messages = std::exchange(pending_messages_, 0),
                last = finished_ != nullptr]() -> std::function<void()> {
    to->write(bytes);
    if (last) to->finish();
    return [weak, messages] {
      if (const auto self = weak.lock()) self->wrote(messages);
    };
  });
}

void spool::wrote(std::uint64_t messages) {
  busy_ = false;
  if (messages > 0 && written_) written_(messages);
  if (file_->whole || !file_->state.failure.empty()) {
    if (const auto then = std::exchange(finished_, nullptr)) return then(file_->state);
  }
  write_next();
}

}  // namespace baton::queue
