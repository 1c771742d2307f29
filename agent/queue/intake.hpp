// Which messages of a queue become a file, in their order: taken until the queue is empty or a limit is met, or, when
// the file was begun before, recognised as they are delivered once more. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace baton::queue {

struct intake_limits {
  std::uint64_t messages_max = 20000;         // maxMessagesForTransfer
  std::uint64_t bytes_max = 64 << 20;         // of all: who holds a message holds its bytes too
  std::uint64_t message_bytes_max = 1048576;  // maxInputOutputMessageLength
};

// What tells a message from others: XXH3-128 of its id and its bytes, 16 raw bytes. Two that are equal in both are
// told apart by their order alone.
std::string identity_of(std::string_view id, std::string_view body);

class intake {
 public:
  static constexpr std::size_t identity_bytes = 16;
  enum class verdict {
    take,  // the next one of the file
    last,  // likewise, and nothing more is taken
    full,  // it belongs to the next file, and nothing more is taken
    alien  // it is not one of those that are looked for
  };

  explicit intake(intake_limits limits) : limits_(limits) {}
  enum class order { of_queue, any };
  // Looks for messages that were taken before: identities, one after the other. Those in front of the first that comes
  // may be gone, for messages are settled in their order. Those of a group can come in any order.
  intake(intake_limits limits, std::string known, order how = order::of_queue)
      : limits_(limits), identities_(std::move(known)), looks_(true) {
    if (how == order::any) found_.resize(count());
  }

  verdict on_message(const std::string& identity, std::uint64_t bytes);
  // Larger than any that may be taken.
  bool too_large(std::uint64_t bytes) const { return bytes > limits_.message_bytes_max; }

  // Of the file: all that were taken, or that are looked for.
  const std::string& identities() const { return identities_; }
  std::uint64_t count() const { return identities_.size() / identity_bytes; }
  // The place in the file of the one that was taken last.
  std::uint64_t place() const { return next_ - 1; }
  // How many have been delivered and are held now.
  std::uint64_t held() const { return held_; }
  // More that could be taken: the credit that makes sense.
  std::uint64_t room() const { return (looks_ ? count() : limits_.messages_max) - held_; }

 private:
  verdict look(const std::string& identity);
  verdict look_anywhere(const std::string& identity);
  bool is_at(std::uint64_t place, const std::string& identity) const {
    return identities_.compare(place * identity_bytes, identity_bytes, identity) == 0;
  }

  intake_limits limits_;
  std::string identities_;
  bool looks_ = false;
  std::uint64_t held_ = 0, bytes_ = 0;
  std::uint64_t next_ = 0;   // of the identities
  std::vector<bool> found_;  // of those that may come in any order
};

}  // namespace baton::queue
