// The folder that the instances of one multi-instance queue manager share (property dataPath):
//
//   store.db, store.db-journal   queues and durable messages, and which epoch may write
//   active.lock                  its byte N is the lock of epoch N; see byte_lock.hpp
//   instances/<NAME>             what each instance says of itself; only it writes the file, and it holds byte 0 of it
//   coordination.db              the history of transfers, when the coordination service runs with it
//
// Every call may wait for the file system. Reading is for any thread and any process.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/formats/qmgr_instance.hpp"
#include "common/result.hpp"
#include "properties/byte_lock.hpp"

namespace baton {

struct instance_seen {
  formats::qmgr_instance says;
  bool running = false;  // its process holds its file
};

struct instances_seen {
  std::vector<instance_seen> list;  // by name
  bool complete = true;             // false: a file could not be read
};

class instance_folder {
 public:
  explicit instance_folder(std::filesystem::path root) : root_(std::move(root)) {}
  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path store() const { return root_ / "store.db"; }
  std::filesystem::path lock() const { return root_ / "active.lock"; }
  std::filesystem::path instances() const { return root_ / "instances"; }
  std::filesystem::path instance(std::string_view name) const { return instances() / name; }
  std::filesystem::path coordination_store() const { return root_ / "coordination.db"; }

  instances_seen read() const;

 private:
  std::filesystem::path root_;
};

// Goes with the signal that ends an instance (sigqueue): the queue manager ends, on all hosts. Without it another one
// takes over.
constexpr int end_all_word = 1;

// The active one among them, that of the highest epoch; none when no running one says so.
const instance_seen* active_of(const instances_seen& all);

// The name of an instance, which becomes the name of a file: letters, digits, '.', '_', '-', at most 64, beginning with
// a letter or digit. errc::bad_property.
status check_instance_name(const std::string& name);

// This process as the file says it: pid, boot, process start, host, version.
formats::qmgr_instance this_process();

// Ends the process that wrote this with SIGKILL, if it is on this machine and still the same one. False: it is not.
bool end_process_of(const formats::qmgr_instance& other);

// The file of one running instance.
class instance_file {
 public:
  // errc::in_use: another running process has the name.
  static result<instance_file> acquire(const instance_folder& folder, const std::string& name);
  // Written through to the file system. Makes the file anew when somebody deleted it.
  status write(const formats::qmgr_instance& content);

 private:
  instance_file(std::filesystem::path path, byte_lock held) : path_(std::move(path)), held_(std::move(held)) {}
  std::filesystem::path path_;
  byte_lock held_;
};

}  // namespace baton
