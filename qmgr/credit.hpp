// How much a producer may send. Messages that are not stored live in bounded memory, so credit for them is a promise of
// memory; stored ones only pass through it, so theirs is a window. AMQP counts credit in messages, hence the estimate.
// Pure; loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace baton::qmgr {

inline constexpr std::uint32_t credit_window = 100;  // messages
inline constexpr std::uint32_t first_credit = 10;    // messages, until the first one has shown its size and kind
inline constexpr std::uint64_t stored_window_bytes = 8u << 20;  // in flight of one producer of stored messages
inline constexpr std::uint64_t entry_overhead_bytes = 256;      // of a message beside its bytes: index and bookkeeping
inline constexpr std::uint64_t small_message_bytes = 4096;      // these may use the last eighth of the memory

// The memory for messages that are not stored: what they use and what outstanding credit promises.
class memory_ledger {
 public:
  explicit memory_ledger(std::uint64_t bytes_max) : max_(bytes_max) {}
  static std::uint64_t cost(std::size_t size) { return size + entry_overhead_bytes; }

  // The last eighth is kept for small messages: bulk data that nobody fetches must not starve locks and requests.
  std::uint64_t bytes_max(std::uint64_t size) const { return size > small_message_bytes ? max_ - max_ / 8 : max_; }
  bool has_room(std::size_t size) const { return resident_ + cost(size) <= bytes_max(size); }
  void add(std::size_t size) { resident_ += cost(size); }
  void remove(std::size_t size) { resident_ -= cost(size); }
  std::uint64_t resident() const { return resident_; }

  std::uint64_t promised() const { return promised_; }
  void promise(std::uint64_t before, std::uint64_t now) { promised_ = promised_ - before + now; }

 private:
  std::uint64_t max_;
  std::uint64_t resident_ = 0;
  std::uint64_t promised_ = 0;
};

// One producer's credit.
class producer_credit {
 public:
  // A message used one credit.
  void used(std::size_t size, bool stored);
  // How much to grant now; 0: nothing. It is granted in big steps, so that a flow frame covers many messages.
  std::uint32_t grant(memory_ledger& ledger);
  // The link is gone: its promise is void.
  void forget(memory_ledger& ledger);
  bool starved() const { return outstanding_ == 0; }

 private:
  std::uint64_t window(const memory_ledger& ledger) const;
  void promise(memory_ledger& ledger);

  std::uint32_t outstanding_ = 0;
  std::uint64_t estimate_ = 0;  // bytes of a message: the largest of late, fading
  std::uint64_t promised_ = 0;
  bool seen_ = false, stored_ = false;
};

}  // namespace baton::qmgr
