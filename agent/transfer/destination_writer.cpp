#include "agent/transfer/destination_writer.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>
#include <variant>

#include "common/messages/message.hpp"
#include "common/text.hpp"

namespace baton::transfer {
namespace {

constexpr std::size_t directories_max = 10000;  // that are looked through at the end
constexpr std::size_t batch_files_max = 1000;   // what a lost connection costs at most, and a crash
constexpr std::uint64_t batch_bytes_max = 8 << 20;
constexpr int damaged_times_max = 3;  // of the same piece of data: then sending it again does not help

}  // namespace

void destination_writer::adopt(open_part left) {
  next_item_ = left.number;
  if (left.path.empty()) return;  // it was between items
  directories_.insert(parent_of(left.path));
  if (take_over_part(left, options_.transfer_id, options_.epoch, options_.may_act)) adopted_ = std::move(left);
}

void destination_writer::begin_at(std::uint64_t results_from) {
  // Results of items in between are not known any more: they are received again.
  if (results_from == next_item_) return;
  again_ = true;
  next_item_ = results_from;
  drop_all();
}

std::optional<open_part> destination_writer::open_item() const {
  if (adopted_) return adopted_;
  if (!finished_.empty() || !current_ || current_->durable() == 0 || ignored_ == current_->number())
    return std::nullopt;
  return open_part{current_->number(), current_->durable(),    current_->path(),       current_->part(),
                   current_->size(),   current_->modified_s(), current_->modified_ns()};
}

written_frame destination_writer::write(std::string_view frame, bool more) {
  out_ = {};
  if (over_ || !options_.may_act()) over_ = out_.dropped = true;
  out_.durable = durable();
  if (over_) return std::move(out_);
  known_directories_.clear();
  const auto read = formats::read_frame_records(frame, [this](const formats::record& r) {
    on(r);
    return out_.halted.ok() ? done() : status(error{errc::io, out_.halted.text});
  });
  if (!commit_may_wait(more)) commit();
  ++frames_since_checkpoint_;
  if (frames_since_checkpoint_ >= options_.checkpoint_frames || bytes_since_checkpoint_ >= options_.checkpoint_bytes) {
    checkpoint();
  }
  if (!read && out_.halted.ok()) halt({trouble::damaged, read.error().text});
  out_.dropped = over_;
  out_.durable = durable();
  return std::move(out_);
}

formats::position destination_writer::durable() const {
  if (adopted_) return {adopted_->number, adopted_->offset};
  if (!finished_.empty()) return {finished_.front().number, 0};
  return current_ ? formats::position{current_->number(), current_->durable()} : formats::position{next_item_, 0};
}

void destination_writer::rewind(std::set<std::uint64_t> done) {
  done_ = std::move(done);
  over_ = false;
  if (!finished_.empty()) {  // finished, and waiting for a sync: the source sends them again
    next_item_ = finished_.front().number;
    again_ = true;
    return drop_all();
  }
  if (current_) ignored_ = next_item_ = current_->number();  // until the source begins it again
}

void destination_writer::discard() {
  drop_all();
  if (!again_) return;
  // Of items that an earlier activation had begun, and that nobody needed again.
  for (const auto& directory : directories_) {
    remove_parts(directory, options_.transfer_id, options_.epoch, options_.may_act);
  }
}

void destination_writer::drop_all() {
  if (options_.may_act()) batch_.remove();
  finished_.clear();
  drop_open();
}

void destination_writer::drop_open() {
  if (current_ && options_.may_act()) current_->remove();
  current_.reset();
  if (adopted_ && options_.may_act()) ::unlink(adopted_->part.c_str());
  adopted_.reset();
}

bool destination_writer::is_open(std::uint64_t number) const {
  return current_ && current_->number() == number && ignored_ != number;
}

void destination_writer::on(const formats::record& r) {
  if (const auto* first = std::get_if<formats::item_begin>(&r)) return begin(*first);
  if (const auto* last = std::get_if<formats::item_end>(&r)) return end(*last);
  if (std::get_if<formats::transfer_end>(&r) != nullptr) {
    out_.complete = true;
  } else if (const auto* wait = std::get_if<formats::item_sync>(&r)) {
    if (is_open(wait->number)) checkpoint();
  } else if (const auto* gone = std::get_if<formats::item_abort>(&r)) {
    if (is_open(gone->number)) fail(std::string(gone->text));
  } else if (const auto* piece = std::get_if<formats::item_data>(&r)) {
    if (!is_open(piece->number)) return;
    bytes_since_checkpoint_ += piece->bytes.size();
    if (auto written = current_->write(*piece); !written.ok()) {
      if (written.what == trouble::damaged && damaged_again(*piece)) return fail(std::move(written.text));
      give_up(std::move(written));
    }
  }
}

void destination_writer::begin(const formats::item_begin& r) {
  ignored_.reset();
  next_item_ = r.number + 1;
  if (go_on(r)) return;
  drop_open();
  if (done_.count(r.number) > 0) {
    ignored_ = r.number;
    return;
  }
  const outcome begun = begin_item(r);
  if (begun.ok()) return;
  current_.reset();
  if (begun.what == trouble::no_room) return send_again_from(r.number, begun);
  ignored_ = r.number;
  out_.results.push_back({r.number, 1, begun.text, {}});
}

outcome destination_writer::begin_item(const formats::item_begin& r) {
  const std::string path = path_below(options_.root, r.path);
  if (path.find('\0') != std::string::npos) {
    return failed(render(messages::BFGIO0906E, name_to_text(path), "it contains a zero byte"));
  }
  if (r.kind == formats::item_kind::directory) {
    auto made = ensure_directory(path);
    ignored_ = r.number;  // nothing more to do when its end comes
    if (made.ok()) out_.results.push_back({r.number, 0, {}, {}});
    return made;
  }
  if (r.offset == 0) return begin_file(r, path);
  return failed(render(messages::BFGIO0903E, name_to_text(path), "its start is not at the destination any more"));
}

// False: it has to begin anew, or cannot.
bool destination_writer::go_on(const formats::item_begin& r) {
  if (r.offset == 0) return false;
  if (adopted_ && adopted_->number == r.number && adopted_->offset == r.offset) {
    const open_part left = *std::exchange(adopted_, std::nullopt);
    current_.emplace(r, left.path, left.part);
    if (has_brought(r, left.path)) current_->may_be_there();
    if (r.size != left.size || r.modified_s != left.modified_s || r.modified_ns != left.modified_ns) {
      fail(render(messages::BFGIO0903E, name_to_text(left.path), "its size or time is another one"));
      return true;
    }
  } else if (!current_ || current_->number() != r.number || r.offset != current_->durable()) {
    return false;
  }
  if (auto resumed = current_->resume(r.offset); !resumed.ok()) give_up(std::move(resumed));
  return true;
}

// What an earlier activation, which nobody goes on with, has left of the item.
void destination_writer::remove_left_over(const std::string& directory, std::uint64_t number) {
  auto known = left_over_.find(directory);
  if (known == left_over_.end()) {
    known = left_over_.emplace(directory, find_parts(directory, options_.transfer_id)).first;
  }
  const auto parts = known->second.extract(number);
  if (!parts) return;
  remove_parts(parts.mapped(), options_.epoch, options_.may_act);
}

// What this transfer brought before its result was lost is not in its own way.
bool destination_writer::has_brought(const formats::item_begin& r, const std::string& path) const {
  struct stat about {};
  return again_ && ::lstat(path.c_str(), &about) == 0 && S_ISREG(about.st_mode) &&
         static_cast<std::uint64_t>(about.st_size) == r.size && about.st_mtim.tv_sec == r.modified_s &&
         about.st_mtim.tv_nsec == r.modified_ns;
}

outcome destination_writer::begin_file(const formats::item_begin& r, const std::string& path) {
  struct stat about {};
  const bool exists = ::lstat(path.c_str(), &about) == 0;
  if (exists && S_ISDIR(about.st_mode)) return failed(render(messages::BFGIO0002E, name_to_text(path), "a directory"));
  const bool brought = exists && has_brought(r, path);
  if (exists && r.exist == formats::exist_action::error && !brought) {
    return failed(render(messages::BFGIO0006E, name_to_text(path)));
  }
  if (auto made = ensure_directory(parent_of(path)); !made.ok()) return made;
  if (earlier_run_) remove_left_over(parent_of(path), r.number);
  if (directories_.size() < directories_max) directories_.insert(parent_of(path));
  current_.emplace(r, path, part_path(path, options_.transfer_id, options_.epoch, r.number));
  if (brought) current_->may_be_there();
  return current_->create();
}

outcome destination_writer::ensure_directory(const std::string& path) {
  if (known_directories_.count(path) > 0) return {};
  std::string blocked;
  const int failure = make_directories(path, blocked);
  if (failure == ENOTDIR) return failed(render(messages::BFGIO0012E, name_to_text(path)));
  if (failure != 0) {
    return {trouble_of(failure), render(messages::BFGIO0007E, name_to_text(path), system_text(failure))};
  }
  known_directories_.insert(path);
  return {};
}

void destination_writer::end(const formats::item_end& r) {
  if (!is_open(r.number)) return;
  if (auto finished = current_->finish(r); !finished.ok()) return give_up(std::move(finished));
  finished_.push_back({r.number, 0, {}, current_->digest()});
  batch_.add(*current_);
  current_.reset();
}

// The item is given up: its part file goes at once, its result is told with this frame, its further records are
// ignored.
void destination_writer::fail(std::string text) {
  const std::uint64_t number = current_->number();
  drop_open();
  ignored_ = number;
  out_.results.push_back({number, 1, std::move(text), {}});
}

void destination_writer::give_up(outcome why) {
  why.what == trouble::failed ? fail(std::move(why.text)) : halt(std::move(why));
}

// Nothing more of this frame is taken, nor of those behind it.
void destination_writer::halt(outcome why) {
  out_.halted = std::move(why);
  out_.complete = false;
}

bool destination_writer::damaged_again(const formats::item_data& piece) {
  const bool same = damaged_at_.item == piece.number && damaged_at_.offset == piece.offset;
  damaged_times_ = same ? damaged_times_ + 1 : 1;
  damaged_at_ = {piece.number, piece.offset};
  return damaged_times_ >= damaged_times_max;
}

// What has come of this item and of those behind it is dropped, but for those that have results.
void destination_writer::send_again_from(std::uint64_t number, outcome why) {
  drop_open();
  ignored_.reset();
  next_item_ = number;
  again_ = true;
  halt(std::move(why));
}

bool destination_writer::commit_may_wait(bool more) const {
  return more && out_.halted.ok() && batch_.size() < batch_files_max && batch_.bytes() < batch_bytes_max;
}

void destination_writer::commit() {
  const auto committed = batch_.commit();
  if (!committed) {
    over_ = true;
    if (!finished_.empty()) send_again_from(finished_.front().number, {});
    finished_.clear();
    out_.results.clear();
    return;
  }
  const auto& outcomes = *committed;
  std::optional<std::size_t> first_without_room;
  for (std::size_t i = 0; i < finished_.size(); ++i) {
    if (outcomes[i].what == trouble::no_room) {
      if (!first_without_room) first_without_room = i;
      continue;
    }
    if (!outcomes[i].ok()) finished_[i] = {finished_[i].number, 1, outcomes[i].text, {}};
    out_.results.push_back(std::move(finished_[i]));
  }
  if (first_without_room) send_again_from(finished_[*first_without_room].number, outcomes[*first_without_room]);
  finished_.clear();
  if (outcomes.empty()) return;
  frames_since_checkpoint_ = 0;
  bytes_since_checkpoint_ = 0;
}

void destination_writer::checkpoint() {
  frames_since_checkpoint_ = 0;
  bytes_since_checkpoint_ = 0;
  if (over_ || !current_ || ignored_ == current_->number()) return;
  if (const int failure = current_->sync()) give_up(cannot_write(current_->path(), failure));
}

}  // namespace baton::transfer
