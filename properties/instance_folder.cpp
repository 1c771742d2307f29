#include "properties/instance_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <system_error>

#include "common/text.hpp"
#include "properties/atomic_file.hpp"

namespace baton {
namespace {

namespace fs = std::filesystem;
using formats::qmgr_instance;
constexpr std::size_t record_bytes = 2048;  // always written whole, at the beginning: a shorter one leaves no rest
constexpr std::size_t name_length_max = 64;

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string read;
  std::getline(file, read);
  return read;
}

// Field 22 of /proc/PID/stat: clock ticks from boot to the start of the process; -1: there is none.
std::int64_t process_start(std::int64_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return -1;
  const auto fields = split(trim(std::string_view(text).substr(name_end + 1)), ' ');
  constexpr std::size_t place = 19;  // the third field is the first behind the name
  return fields.size() > place ? std::strtoll(fields[place].c_str(), nullptr, 10) : -1;
}

// A reader may come in the middle of a write: then it looks again.
result<qmgr_instance> read_record(const fs::path& path) {
  constexpr int attempts = 3;
  result<qmgr_instance> read = error{errc::io, "not read"};
  for (int i = 0; i < attempts && !read; ++i) {
    const auto text = read_small_file(path);
    if (!text) return text.error();
    read = formats::read_qmgr_instance(trim(*text));
  }
  return read;
}

bool is_held(const fs::path& path) {
  const auto file = byte_lock::open(path);
  if (!file) return true;
  const auto is_free = file->is_free(0);
  return !is_free || !*is_free;
}

bool still_at(int descriptor, const fs::path& path) {
  struct stat held {
  }, there{};
  return ::fstat(descriptor, &held) == 0 && ::stat(path.c_str(), &there) == 0 && held.st_ino == there.st_ino &&
         held.st_dev == there.st_dev;
}

}  // namespace

instances_seen instance_folder::read() const {
  instances_seen all;
  std::error_code failure;
  for (fs::directory_iterator at(instances(), failure), end; !failure && at != end; at.increment(failure)) {
    auto says = read_record(at->path());
    if (says) {
      all.list.push_back({std::move(*says), is_held(at->path())});
    } else if (fs::file_size(at->path(), failure) > 0) {  // an empty one has just been made
      all.complete = false;
    }
  }
  if (failure) all.complete = false;
  std::sort(all.list.begin(), all.list.end(),
            [](const instance_seen& a, const instance_seen& b) { return a.says.name < b.says.name; });
  return all;
}

const instance_seen* active_of(const instances_seen& all) {
  const instance_seen* found = nullptr;
  for (const instance_seen& one : all.list) {
    if (!one.running || one.says.state != formats::qmgr_instance_state::active) continue;
    if (found == nullptr || one.says.epoch > found->says.epoch) found = &one;
  }
  return found;
}

status check_instance_name(const std::string& name) {
  const auto fits = [](unsigned char c) { return std::isalnum(c) || c == '.' || c == '_' || c == '-'; };
  if (!name.empty() && name.size() <= name_length_max && std::isalnum(static_cast<unsigned char>(name[0])) &&
      std::all_of(name.begin(), name.end(), fits)) {
    return done();
  }
  return error{errc::bad_property,
               fmt::format("\"{}\" is not the name of an instance: letters, digits, '.', '_' and '-', at most {}, "
                           "beginning with a letter or digit",
                           escape_control(name), name_length_max)};
}

qmgr_instance this_process() {
  qmgr_instance made;
  made.host = host_name();
  made.pid = ::getpid();
  made.boot = boot_id();
  made.process_start = process_start(made.pid);
  made.version = BATON_VERSION;
  return made;
}

bool end_process_of(const qmgr_instance& other) {
  if (other.boot.empty() || other.boot != boot_id()) return false;
  // The descriptor stands for the process, so that nobody else is hit who got the number meanwhile.
  const long process = ::syscall(SYS_pidfd_open, static_cast<pid_t>(other.pid), 0);
  if (process < 0) return false;
  const bool same = process_start(other.pid) == other.process_start;
  const bool ended = same && ::syscall(SYS_pidfd_send_signal, static_cast<int>(process), SIGKILL, nullptr, 0) == 0;
  ::close(static_cast<int>(process));
  return ended;
}

result<instance_file> instance_file::acquire(const instance_folder& folder, const std::string& name) {
  if (const status fine = check_instance_name(name); !fine) return fine.error();
  std::error_code failure;
  fs::create_directories(folder.instances(), failure);
  if (failure) {
    return error{errc::io, fmt::format("dataPath {}: cannot be used: {}", folder.root().native(), failure.message())};
  }
  const fs::path path = folder.instance(name);
  auto file = byte_lock::open(path);
  if (!file) return file.error();
  const auto taken = file->take(0);
  if (!taken) return taken.error();
  if (*taken) return instance_file(path, std::move(*file));
  const auto other = read_record(path);
  return error{errc::in_use, fmt::format("the name of instance {} is used by process {} on {}: give this instance "
                                         "another instanceName",
                                         name, other ? other->pid : 0, other ? other->host : "another host")};
}

status instance_file::write(const qmgr_instance& content) {
  if (!still_at(held_.descriptor(), path_)) {
    auto anew = byte_lock::open(path_);
    if (!anew) return anew.error();
    const auto taken = anew->take(0);
    if (!taken) return taken.error();
    if (!*taken) return error{errc::in_use, fmt::format("{}: another process holds it", path_.native())};
    held_ = std::move(*anew);
  }
  std::string text = formats::to_json(content);
  text.resize(std::max(text.size(), record_bytes - 1), ' ');
  text.push_back('\n');
  if (::pwrite(held_.descriptor(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()) &&
      ::fdatasync(held_.descriptor()) == 0) {
    return done();
  }
  return error{errc::io, fmt::format("{}: cannot be written: {}", path_.native(), system_text(errno))};
}

}  // namespace baton
