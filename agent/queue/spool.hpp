// The file that messages become, in their order, before it is sent: written on workers, one piece at a time. A full
// disk is waited for. Loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "agent/transfer/checksum.hpp"
#include "agent/transfer/file.hpp"
#include "common/loop.hpp"
#include "common/worker_pool.hpp"

namespace baton::queue {

struct spooled {
  std::uint64_t bytes = 0;
  std::string digest;   // raw
  std::string failure;  // the system's reason; then the file is not whole
};

class spool : public std::enable_shared_from_this<spool> {
 public:
  struct handlers {
    std::function<void(std::uint64_t)> written;     // so many more messages
    std::function<void(const std::string&)> waits;  // once: there is no room; the system's reason
  };
  // A new file in the place of what has the name.
  spool(event_loop& loop, worker_pool& pool, std::string path, formats::checksum_kind kind, handlers to);

  void add(std::string_view before, std::string_view body, std::string_view behind);
  // No more messages: `then` hears of the file when it is on stable storage. Called once.
  void finish(std::function<void(const spooled&)> then);
  // Nothing is called any more.
  void stop();

 private:
  struct file;  // what the worker has
  void write_next();
  void write(std::string bytes, std::uint64_t messages);
  void wrote(std::uint64_t messages);
  void wait_for_room(std::uint64_t messages);

  event_loop& loop_;
  worker_pool& pool_;
  handlers to_;
  std::function<void(const spooled&)> finished_;
  std::shared_ptr<file> file_;
  std::string pending_;
  std::uint64_t pending_messages_ = 0;
  bool busy_ = false, stopped_ = false;
};

}  // namespace baton::queue
