#include "agent/transfer/part_file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "common/messages/message.hpp"
#include "common/text.hpp"

namespace baton::transfer {
namespace {

constexpr std::size_t name_bytes_max = 255;  // NAME_MAX of every common file system
constexpr std::uint64_t written_back_early_min = 1 << 20;

// What comes between the start of a part file's name and the number of the item.
std::string part_mark(const std::string& transfer_id) {
  return "." + transfer_id.substr(0, 12) + ".";
}

bool is_long_zeros(std::string_view bytes) {
  constexpr std::size_t worth_a_hole = 4096;
  return bytes.size() >= worth_a_hole && bytes[0] == 0 && bytes.substr(1) == bytes.substr(0, bytes.size() - 1);
}

}  // namespace

part_file::part_file(const formats::item_begin& about, std::string path, std::string part)
    : number_(about.number),
      size_(about.size),
      path_(std::move(path)),
      part_(std::move(part)),
      sum_(about.checksum),
      sum_kind_(about.checksum),
      mode_(about.mode & 0777),  // set-user-id and its like do not travel
      modified_s_(about.modified_s),
      modified_ns_(about.modified_ns),
      replace_(about.exist == formats::exist_action::overwrite),
      text_(about.transfer_mode == formats::file_mode::text) {}

outcome part_file::create() {
  const int failure = open_fresh(part_, file_);  // an interrupted run may still have one open
  if (failure == ENAMETOOLONG) return failed(render(messages::BFGIO0906E, name_to_text(path_), system_text(failure)));
  return failure != 0 ? cannot_write(part_, failure) : outcome();
}

outcome part_file::resume(std::uint64_t offset) {
  sum_ = running_checksum(sum_kind_);
  if (!file_.open()) {
    if (const int failure = open_to_write(part_, true, file_)) return cannot_write(part_, failure);
  }
  struct stat about {};
  if (fstat(file_.number(), &about) != 0) return cannot_write(part_, errno);
  if (static_cast<std::uint64_t>(about.st_size) < offset) return cannot_write(part_, EIO);
  if (ftruncate(file_.number(), static_cast<off_t>(offset)) != 0) return cannot_write(part_, errno);
  received_ = written_ = durable_ = offset;
  return {};
}

outcome part_file::write(const formats::item_data& piece) {
  if (piece.offset != received_ || formats::data_check(piece.bytes) != piece.check) {
    return {trouble::damaged, render(messages::BFGIO0905E, name_to_text(path_), piece.offset)};
  }
  // In text mode, which never goes on in the middle, there is nothing to read again.
  if (const int failure = sum_.add(file_, received_, piece.bytes)) return cannot_write(path_, failure);
  if (text_) {
    received_ += piece.bytes.size();
    return write_text(piece.bytes, false);
  }
  if (const int failure = append(piece.bytes)) return cannot_write(path_, failure);
  received_ += piece.bytes.size();  // what a sync makes durable
  written_ += piece.bytes.size();
  return {};
}

// At the end of the file. Zeros become a hole: most of them were one at the source.
int part_file::append(std::string_view bytes) {
  if (is_long_zeros(bytes)) {
    return ftruncate(file_.number(), static_cast<off_t>(written_ + bytes.size())) == 0 ? 0 : errno;
  }
  if (const int failure = write_all(file_, bytes, written_)) return failure;
  // Writing back starts now, so that the sync at the end is short. Small files are allocated together, in one go.
  if (size_ < written_back_early_min) return 0;
  sync_file_range(file_.number(), static_cast<off_t>(written_), static_cast<off_t>(bytes.size()),
                  SYNC_FILE_RANGE_WRITE);
  return 0;
}

// Line ends become this platform's: CR LF turns into LF.
outcome part_file::write_text(std::string_view bytes, bool last) {
  std::string out;
  out.reserve(bytes.size() + 1);
  for (const char c : bytes) {
    if (carriage_return_ && c != '\n') out += '\r';
    carriage_return_ = c == '\r';
    if (c != '\r') out += c;
  }
  if (last && carriage_return_) out += '\r';
  const int failure = write_all(file_, out, written_);
  written_ += out.size();
  return failure != 0 ? cannot_write(path_, failure) : outcome();
}

outcome part_file::finish(const formats::item_end& last) {
  if (text_) {
    if (auto written = write_text({}, true); !written.ok()) return written;
  }
  if (const int failure = sum_.catch_up(file_, received_)) return cannot_write(path_, failure);
  const std::string digest = sum_.digest();
  digest_ = to_hex(digest);
  if (received_ != last.size || digest != last.checksum) {
    return failed(render(messages::BFGIO0904E, name_to_text(path_), to_hex(last.checksum), digest_));
  }
  const timespec times[2] = {{0, UTIME_NOW}, {modified_s_, modified_ns_}};
  if (fchmod(file_.number(), mode_) != 0 || futimens(file_.number(), times) != 0) return cannot_write(path_, errno);
  return {};
}

int part_file::sync() {
  if (fdatasync(file_.number()) != 0) return errno;
  if (text_) return 0;
  // Data without a name is as good as lost.
  const int failure = durable_ == 0 ? sync_directory(parent_of(part_)) : 0;
  if (failure == 0) durable_ = received_;
  return failure;
}

void part_file::remove() {
  file_.reset();
  ::unlink(part_.c_str());
}

std::string part_path(const std::string& path, const std::string& transfer_id, std::uint64_t epoch,
                      std::uint64_t number) {
  const auto slash = path.rfind('/');
  std::string name = path.substr(slash + 1);
  // The number keeps two items apart that go to one name, or whose long names are cut.
  const std::string suffix = fmt::format("{}{}.e{}.part", part_mark(transfer_id), number, epoch);
  name.resize(std::min(name.size(), name_bytes_max - suffix.size()));
  return path.substr(0, slash + 1) + name + suffix;
}

std::map<std::uint64_t, std::vector<found_part>> find_parts(const std::string& directory,
                                                            const std::string& transfer_id) {
  std::map<std::uint64_t, std::vector<found_part>> found;
  const std::string mark = part_mark(transfer_id);
  DIR* const listing = opendir(directory.c_str());
  if (listing == nullptr) return found;
  while (const dirent* entry = readdir(listing)) {
    const std::string_view name = entry->d_name;
    const auto at = name.rfind(mark);
    if (at == std::string_view::npos || !name.ends_with(".part")) continue;
    // <item>.e<epoch>.part
    const char* const end = name.data() + name.size();
    std::uint64_t number = 0, epoch = 0;
    const auto item = std::from_chars(name.data() + at + mark.size(), end, number);
    if (item.ec != std::errc() || !std::string_view(item.ptr, end).starts_with(".e")) continue;
    const auto last = std::from_chars(item.ptr + 2, end, epoch);
    if (last.ec != std::errc() || std::string_view(last.ptr, end) != ".part") continue;
    found[number].push_back({directory + "/" + std::string(name), epoch});
  }
  closedir(listing);
  return found;
}

void remove_parts(const std::vector<found_part>& parts, std::uint64_t up_to, const std::function<bool()>& may_act) {
  for (const auto& left : parts) {
    if (left.epoch <= up_to && may_act()) ::unlink(left.part.c_str());
  }
}

void remove_parts(const std::string& directory, const std::string& transfer_id, std::uint64_t up_to,
                  const std::function<bool()>& may_act) {
  for (const auto& [number, parts] : find_parts(directory, transfer_id)) remove_parts(parts, up_to, may_act);
}

}  // namespace baton::transfer
