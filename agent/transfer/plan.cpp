#include "agent/transfer/plan.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "common/bytes.hpp"
#include "common/formats/state.hpp"
#include "common/text.hpp"

namespace baton::transfer {
namespace {

constexpr std::string_view magic = "BTNP\x01";
constexpr std::size_t record_bytes_max = 1 << 20;  // two paths and a message are far below

void put_text(std::string& out, std::string_view text) {
  put_bytes(out, text.size(), 4);
  out += text;
}

std::string encode(const plan_item& item) {
  std::string out;
  put_bytes(out, static_cast<std::uint8_t>(item.kind), 1);
  put_bytes(out, item.spec, 4);
  put_bytes(out, item.identity.size, 8);
  put_bytes(out, item.identity.device, 8);
  put_bytes(out, item.identity.inode, 8);
  put_bytes(out, static_cast<std::uint64_t>(item.identity.modified_s), 8);
  put_bytes(out, item.identity.modified_ns, 4);
  put_bytes(out, item.mode, 4);
  put_text(out, item.source);
  put_text(out, item.destination);
  put_text(out, item.failure);
  if (!item.messages.empty()) {
    put_text(out, item.messages);
    put_text(out, item.digest);
  }
  return out;
}

std::optional<plan_item> decode(std::string_view bytes) {
  byte_reader in{bytes};
  const auto text = [&] { return std::string(in.take_bytes(in.take(4))); };
  plan_item item;
  item.kind = in.take(1) == 0 ? formats::item_kind::file : formats::item_kind::directory;
  item.spec = static_cast<std::uint32_t>(in.take(4));
  item.identity.size = in.take(8);
  item.identity.device = in.take(8);
  item.identity.inode = in.take(8);
  item.identity.modified_s = static_cast<std::int64_t>(in.take(8));
  item.identity.modified_ns = static_cast<std::uint32_t>(in.take(4));
  item.mode = static_cast<std::uint32_t>(in.take(4));
  item.source = text();
  item.destination = text();
  item.failure = text();
  if (in.ok && !in.rest.empty()) {
    item.messages = text();
    item.digest = text();
  }
  if (!in.ok) return std::nullopt;
  return item;
}

error damaged(const std::filesystem::path& path) {
  return error{errc::bad_message, fmt::format("{} is not a complete plan of a transfer", path.string())};
}

}  // namespace

result<plan_writer> plan_writer::create(const std::filesystem::path& path) {
  std::error_code failure;
  std::filesystem::create_directories(path.parent_path(), failure);
  plan_writer made(path);
  made.out_.open(path, std::ios::binary | std::ios::trunc);
  if (!made.out_) return error{errc::io, fmt::format("{}: {}", path.string(), system_text(errno))};
  made.out_ << magic;
  return made;
}

void plan_writer::add(const plan_item& item) {
  const std::string payload = encode(item);
  std::string head;
  put_bytes(head, payload.size(), 4);
  out_ << head << payload;
  ++totals_.items;
  totals_.bytes += item.failure.empty() ? item.identity.size : 0;
}

status plan_writer::finish() {
  out_ << std::string(4, '\0');
  out_.close();
  bool synced = false;
  if (out_) {
    const int file = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    synced = file >= 0 && fsync(file) == 0;
    if (file >= 0) ::close(file);
  }
  if (!synced) return error{errc::io, fmt::format("{}: {}", path_.string(), system_text(errno))};
  return done();
}

result<plan_reader> plan_reader::open(const std::filesystem::path& path) {
  plan_reader made(path);
  made.in_.open(path, std::ios::binary);
  if (!made.in_) return error{errc::not_found, fmt::format("{}: {}", path.string(), system_text(errno))};
  std::string start(magic.size(), '\0');
  made.in_.read(start.data(), static_cast<std::streamsize>(start.size()));
  if (!made.in_ || start != magic) return damaged(path);
  return made;
}

result<std::optional<plan_item>> plan_reader::next() {
  std::string head(4, '\0');
  in_.read(head.data(), 4);
  if (!in_) return damaged(path_);
  byte_reader length{head};
  const std::uint64_t size = length.take(4);
  if (size == 0) {
    in_.seekg(-4, std::ios::cur);  // asking again at the end gives the end again
    return std::optional<plan_item>();
  }
  if (size > record_bytes_max) return damaged(path_);
  std::string payload(size, '\0');
  in_.read(payload.data(), static_cast<std::streamsize>(size));
  if (!in_) return damaged(path_);
  auto item = decode(payload);
  if (!item) return damaged(path_);
  item->number = next_number_++;
  return item;
}

status plan_reader::seek(std::uint64_t number) {
  if (number < next_number_) {
    in_.clear();
    in_.seekg(static_cast<std::streamoff>(magic.size()));
    next_number_ = 0;
  }
  while (next_number_ < number) {
    const auto skipped = next();
    if (!skipped) return skipped.error();
    if (!*skipped) break;
  }
  return done();
}

result<std::vector<plan_item>> find_items(plan_reader& plan, const std::vector<std::uint64_t>& numbers) {
  std::vector<plan_item> found;
  for (const std::uint64_t number : numbers) {
    if (const auto there = plan.seek(number); !there) return there.error();
    auto item = plan.next();
    if (!item) return item.error();
    if (!*item) break;
    found.push_back(std::move(**item));
  }
  return found;
}

result<plan_summary> summarise_plan(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return error{errc::not_found, fmt::format("{}: {}", path.string(), system_text(errno))};
  plan_summary found;
  std::string bytes(formats::plan_part_bytes, '\0'), checks;
  do {
    in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    const auto got = static_cast<std::size_t>(in.gcount());
    if (in.bad()) return damaged(path);
    if (got == 0) break;
    found.bytes += got;
    ++found.parts;
    put_bytes(checks, formats::data_check(std::string_view(bytes).substr(0, got)), 8);
  } while (in);
  found.check = formats::data_check(checks);
  return found;
}

status adopt_plan_file(const std::filesystem::path& parts, const std::filesystem::path& path, const plan_summary& as) {
  const auto found = summarise_plan(parts);
  if (!found) return found.error();
  if (found->bytes != as.bytes || found->check != as.check) return damaged(parts);
  const int file = ::open(parts.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = file >= 0 && fsync(file) == 0;
  if (file >= 0) ::close(file);
  if (!synced || ::rename(parts.c_str(), path.c_str()) != 0) {
    return error{errc::io, fmt::format("{}: {}", path.string(), system_text(errno))};
  }
  return done();
}

}  // namespace baton::transfer
