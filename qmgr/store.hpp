// Queue definitions and durable messages on disk: one SQLite database in WAL mode with synchronous=FULL, so that what
// commit() took is on stable storage when it returns. README.md of this folder writes the format down. Loop thread
// only; every call may wait for the disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "common/result.hpp"
#include "qmgr/actions.hpp"
#include "qmgr/instances/ownership.hpp"
#include "qmgr/queue_attributes.hpp"

namespace baton::qmgr {

class store {
 public:
  // Opens or creates it. A store that is damaged or of a newer format is an error, and left as it is.
  // `shared`: it may be written only after the owner's row was claimed. errc::in_use: another process has a transaction
  // open.
  static result<std::unique_ptr<store>> open(const std::filesystem::path& file, bool shared = false);
  ~store();

  // Reads everything but the bodies, in order of arrival.
  status load(const std::function<void(std::uint64_t id, const std::string& name, const queue_attributes&)>& on_queue,
              const std::function<void(const stored_message&)>& on_message);

  // All of it or nothing. no_space when the disk or a limit is full, not_permitted when it is shared and not ours, else
  // io.
  status commit(const store_changes& changes);

  result<std::uint64_t> add_queue(const std::string& name, const queue_attributes& attributes);  // its id
  status change_queue(std::uint64_t id, const queue_attributes& attributes);
  status delete_queue(std::uint64_t id);  // and its messages

  result<payload_ptr> read_body(std::uint64_t sequence);

  // Writes the log back into the database, at a clean end.
  void checkpoint();
  std::uint64_t bytes() const;  // on disk

  // Shared: works on the owner's row; what SQLite says becomes the status.
  status with_owner(const std::function<void(instances::ownership&)>& work);
  // Why this process is not the owner any more, as a commit found out; empty: it did not.
  const std::string& fenced() const { return fenced_; }

 private:
  struct statements;
  store(std::filesystem::path file, bool shared);
  status attempt(const std::function<void()>& work);  // in a transaction

  std::filesystem::path file_;
  std::unique_ptr<statements> sql_;
  std::string fenced_;
};

}  // namespace baton::qmgr
