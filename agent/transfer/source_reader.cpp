#include "agent/transfer/source_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/messages/message.hpp"
#include "common/text.hpp"

namespace baton::transfer {
source_reader::source_reader(plan_reader plan, const formats::transfer_request& request, formats::frame_header header,
                             std::size_t chunk_bytes, std::string messages_file)
    : plan_(std::move(plan)),
      request_(request),
      header_(std::move(header)),
      chunk_bytes_(chunk_bytes),
      messages_file_(std::move(messages_file)) {}

opened_reader open_reader(const formats::transfer_request& request, const reader_start& start) {
  opened_reader out;
  const auto unusable = [&](const error& why) { out.failure = render(messages::BFGTR0019E, why.text); };
  auto plan = plan_reader::open(start.plan);
  if (!plan) {
    unusable(plan.error());
    return out;
  }
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t number = start.entered; number < start.from.item; ++number) numbers.push_back(number);
  auto before = find_items(*plan, numbers);
  if (before) out.before = std::move(*before);
  auto reader = std::make_shared<source_reader>(std::move(*plan), request, start.header, start.chunk_bytes,
                                                messages_file_of(start.plan));
  const auto found = reader->seek(start.from);
  if (before && found)
    out.reader = std::move(reader);
  else
    unusable(before ? found.error() : before.error());
  return out;
}

status source_reader::seek(const formats::position& from) {
  resume_ = from;
  return plan_.seek(from.item);
}

read_frame source_reader::next_frame() {
  read_frame out;
  formats::frame_writer frame(chunk_bytes_ + 4096);
  ++header_.sequence;
  frame.header(header_);
  while (!out.waits && frame.size() < chunk_bytes_ && out.ended.size() < formats::items_per_frame_max) {
    if (!current_ && !begin_next(out, frame)) break;
    if (current_) read_current(out, frame);
  }
  if (current_)
    out.current = current_->item.source;
  else if (!out.ended.empty())
    out.current = out.ended.back().item.source;
  out.bytes = frame.take();
  return out;
}

// Previous: no item open. Next: an item open, or (false) the frame is the last one or the plan is broken.
bool source_reader::begin_next(read_frame& out, formats::frame_writer& frame) {
  auto item = plan_.next();
  while (item && *item && done_.count((*item)->number) > 0) item = plan_.next();
  if (!item) {
    out.broken = item.error().text;
    return false;
  }
  if (!*item) {
    frame.add(formats::transfer_end{items_});
    out.last = true;
    return false;
  }
  const std::uint64_t offset = (*item)->number == resume_.item ? std::exchange(resume_.offset, 0) : 0;
  current_.emplace();
  current_->item = std::move(**item);
  items_ = current_->item.number + 1;
  std::string failure = current_->item.failure;
  if (failure.empty() && current_->item.destination.size() > 0xFFFF) {
    failure = render(messages::BFGIO0906E, name_to_text(current_->item.destination.substr(0, 200)), "too long");
  }
  if (failure.empty() && current_->item.kind == formats::item_kind::file) failure = open_current(offset);
  if (!failure.empty()) {
    // An item that was half there must be dropped at the destination, so that it is told even if it cannot go on.
    if (offset > 0) add_begin(frame);
    fail_current(out, frame, std::move(failure));
    return true;
  }
  add_begin(frame);
  return true;
}

std::string source_reader::open_current(std::uint64_t offset) {
  plan_item& item = current_->item;
  struct stat about {};
  if (!item.messages.empty()) {
    current_->offset = offset;
    current_->sum = running_checksum(formats::checksum_kind::none);  // it is in the plan
    if (offset == item.identity.size) return {};
    const int missing = open_to_read(messages_file_, current_->file, about);
    if (missing == 0 && static_cast<std::uint64_t>(about.st_size) == item.identity.size) return {};
    return render(messages::BFGIO0003E, messages_file_, missing != 0 ? system_text(missing) : "it is not whole");
  }
  const int failure = open_to_read(item.source, current_->file, about);
  if (failure == ENOENT) return render(messages::BFGIO0001E, name_to_text(item.source));
  if (failure == ELOOP) return render(messages::BFGIO0002E, name_to_text(item.source), "a symbolic link");
  if (failure == EINVAL) return render(messages::BFGIO0002E, name_to_text(item.source), "not a file any more");
  if (failure != 0) return render(messages::BFGIO0003E, name_to_text(item.source), system_text(failure));
  const file_identity found = identity_of(about);
  if (offset > 0 && found != item.identity) {
    return render(messages::BFGIO0903E, name_to_text(item.source),
                  fmt::format("{} bytes then, {} bytes now, or another time or inode", item.identity.size, found.size));
  }
  item.identity = found;  // what is sent is the file as it is now, not as it was when it was listed
  item.mode = about.st_mode & 0777;
  current_->sum = running_checksum(spec().checksum);
  current_->offset = offset;
  return {};
}

void source_reader::add_begin(formats::frame_writer& frame) {
  const plan_item& item = current_->item;
  formats::item_begin begin;
  begin.number = item.number;
  begin.offset = current_->offset;
  begin.size = item.identity.size;
  begin.mode = item.mode;
  begin.modified_s = item.identity.modified_s;
  begin.modified_ns = item.identity.modified_ns;
  begin.kind = item.kind;
  begin.exist = spec().exist;
  begin.transfer_mode = spec().mode;
  begin.checksum = spec().checksum;
  begin.path = item.destination;
  frame.add(begin);
  current_->told = true;
}

void source_reader::read_current(read_frame& out, formats::frame_writer& frame) {
  if (skip_ == current_->item.number) {
    frame.add(formats::item_abort{current_->item.number, {}});
    out.ended.push_back({std::move(current_->item), {}, {}, true});
    current_.reset();
    return;
  }
  const std::uint64_t left = current_->item.identity.size - current_->offset;
  if (left == 0 && !current_->item.messages.empty() && !taken_) return wait_for_messages(out, frame);
  if (current_->item.kind == formats::item_kind::directory || left == 0) return end_current(out, frame);
  const std::size_t used = frame.size() + formats::data_record_bytes;
  const std::size_t space = used < chunk_bytes_ ? chunk_bytes_ - used : 1;
  int failure = 0;
  const std::size_t got = frame.add_data(
      current_->item.number, current_->offset, static_cast<std::size_t>(std::min<std::uint64_t>(space, left)),
      [&](char* buffer, std::size_t room) {
        std::size_t count = 0;
        failure = read_some(current_->file, buffer, room, current_->offset, count);
        if (failure == 0) {
          failure = current_->sum.add(current_->file, current_->offset, std::string_view(buffer, count));
        }
        return count;
      });
  if (failure != 0) {
    return fail_current(out, frame,
                        render(messages::BFGIO0003E, name_to_text(current_->item.source), system_text(failure)));
  }
  if (got == 0) return fail_current(out, frame, render(messages::BFGIO0902E, name_to_text(current_->item.source)));
  current_->offset += got;
  out.data_bytes += got;
}

// They are taken off their queue when the destination has all of them on stable storage, and the file gets its name
// when they are: who reads them after an interruption in between finds them either there or here.
void source_reader::wait_for_messages(read_frame& out, formats::frame_writer& frame) {
  frame.add(formats::item_sync{current_->item.number});
  out.waits = true;
}

void source_reader::end_current(read_frame& out, formats::frame_writer& frame) {
  const bool from_queue = !current_->item.messages.empty();
  if (current_->item.kind == formats::item_kind::file) {
    if (const int failure = current_->sum.catch_up(current_->file, current_->offset)) {
      return fail_current(out, frame,
                          render(messages::BFGIO0003E, name_to_text(current_->item.source), system_text(failure)));
    }
  }
  if (current_->file.open() && !from_queue) {
    struct stat now {};
    if (fstat(current_->file.number(), &now) != 0 || identity_of(now) != current_->item.identity) {
      return fail_current(out, frame, render(messages::BFGIO0902E, name_to_text(current_->item.source)));
    }
  }
  const std::string digest = from_queue ? current_->item.digest : current_->sum.digest();
  frame.add(formats::item_end{current_->item.number, current_->item.identity.size, digest});
  out.ended.push_back({std::move(current_->item), to_hex(digest), {}, true});
  current_.reset();
}

void source_reader::fail_current(read_frame& out, formats::frame_writer& frame, std::string text) {
  const bool told = current_->told;
  if (told) frame.add(formats::item_abort{current_->item.number, text});
  out.ended.push_back({std::move(current_->item), {}, std::move(text), told});
  current_.reset();
}

}  // namespace baton::transfer
