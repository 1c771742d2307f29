// A source tree, a plan of it, and both ends that move it: a reader and a writer without agents between them.
#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/transfer/destination_writer.hpp"
#include "agent/transfer/planner.hpp"
#include "agent/transfer/source_reader.hpp"
#include "common/text.hpp"
#include "test/properties/temporary.hpp"

namespace baton::test {

namespace fs = std::filesystem;
using namespace transfer;

inline std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_file(const fs::path& path, const std::string& content) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

// Relative path -> content; directories end with '/'.
inline std::map<std::string, std::string> tree_of(const fs::path& root) {
  std::map<std::string, std::string> found;
  if (!fs::exists(root)) return found;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const std::string name = entry.path().lexically_relative(root).string();
    if (entry.is_directory())
      found[name + "/"];
    else
      found[name] = read_file(entry.path());
  }
  return found;
}

inline std::ptrdiff_t part_files_in(const fs::path& root) {
  const auto tree = tree_of(root);
  return std::count_if(tree.begin(), tree.end(), [](const auto& entry) { return entry.first.ends_with(".part"); });
}

class moved_tree {
 public:
  moved_tree() {
    fs::create_directories(in());
    request_.id = std::string(48, 'e');
    auto& spec = request_.specs.emplace_back();
    spec.source = in().string();
    spec.recursive = true;
    spec.destination = out().string();
    spec.kind = formats::destination_kind::directory;
  }

  fs::path in() const { return where_.path() / "in"; }
  fs::path out() const { return where_.path() / "out"; }
  formats::transfer_spec& spec() { return request_.specs[0]; }
  formats::transfer_request& request() { return request_; }
  std::vector<plan_item>& items() { return items_; }

  // By name, so that an item's number does not depend on the file system's order.
  void make_plan() {
    items_.clear();
    const auto failed = transfer::make_plan(request_, {}, [&](plan_item item) { items_.push_back(std::move(item)); });
    REQUIRE_FALSE(failed.has_value());
    std::sort(items_.begin(), items_.end(), [](const auto& a, const auto& b) { return a.source < b.source; });
    write_plan();
  }
  void write_plan() {
    auto plan = plan_writer::create(plan_path());
    REQUIRE(plan.ok());
    for (const auto& item : items_) plan->add(item);
    REQUIRE(plan->finish().ok());
  }
  std::uint64_t number_of(const std::string& name) const {
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (items_[i].source == (in() / name).string()) return i;
    }
    throw std::logic_error("no item " + name);
  }

  std::unique_ptr<source_reader> reader(std::size_t chunk_bytes, formats::position from = {}) {
    auto plan = plan_reader::open(plan_path());
    REQUIRE(plan.ok());
    auto made = std::make_unique<source_reader>(std::move(*plan), request_,
                                                formats::frame_header{request_.id, 1, ++attempt_, 0}, chunk_bytes);
    REQUIRE(made->seek(from).ok());
    return made;
  }
  std::unique_ptr<destination_writer> writer(
      std::uint32_t checkpoint_frames = 1, std::uint64_t epoch = 1,
      std::function<bool()> may_act = [] { return true; }) {
    writer_options options;
    options.transfer_id = request_.id;
    options.epoch = epoch;
    options.again = epoch > 1;
    options.may_act = std::move(may_act);
    options.checkpoint_frames = checkpoint_frames;
    options.root = out().string();
    return std::make_unique<destination_writer>(std::move(options), 0);
  }

  // The source is taken over, and nothing was on STATE.
  void forget_results() {
    read_.clear();
    results_.clear();
  }
  // What each side said of the items. A good result must be true at once.
  void note(const read_frame& frame) {
    REQUIRE(frame.broken.empty());
    for (const auto& item : frame.ended) read_[item.item.number] = item;
  }
  void note(const written_frame& frame) {
    for (const auto& result : frame.results) {
      INFO("item " << result.number << ": " << result.text);
      REQUIRE(results_.emplace(result.number, result).second);  // each is told once
      const auto& item = items_.at(result.number);
      if (result.result_code == 0) REQUIRE(fs::exists(fs::symlink_status(item.destination)));
    }
  }

  // Moves everything from where `writer` is; true when the end of the transfer was written.
  bool move(source_reader& from, destination_writer& to) {
    for (;;) {
      auto frame = from.next_frame();
      note(frame);
      const auto written = to.write(frame.bytes);
      REQUIRE(written.halted.ok());
      note(written);
      if (frame.last) return written.complete;
    }
  }
  void move_all(std::size_t chunk_bytes) {
    make_plan();
    const auto from = reader(chunk_bytes);
    const auto to = writer();
    CHECK(move(*from, *to));
    to->discard();
    CHECK(part_files_in(out()) == 0);
  }

  // Why an item failed, at either end; empty when it arrived.
  std::string failure_of(const std::string& name) const {
    const std::uint64_t number = number_of(name);
    const auto result = results_.find(number);
    if (result != results_.end()) return result->second.result_code == 0 ? "" : result->second.text;
    const auto read = read_.find(number);
    return read == read_.end() ? "no word of it" : read->second.failure;
  }
  const std::map<std::uint64_t, formats::item_result>& results() const { return results_; }
  const std::map<std::uint64_t, read_item>& read() const { return read_; }
  void expect_all_good() const {
    CHECK(results_.size() == items_.size());
    for (const auto& [number, result] : results_) {
      INFO(items_[number].source << ": " << result.text);
      CHECK(result.result_code == 0);
      if (items_[number].kind == formats::item_kind::file) CHECK(read_.at(number).checksum == result.checksum);
    }
  }

 private:
  fs::path plan_path() const { return where_.path() / "plan"; }

  temporary_directory where_;
  formats::transfer_request request_;
  std::vector<plan_item> items_;
  std::uint64_t attempt_ = 0;
  std::map<std::uint64_t, formats::item_result> results_;
  std::map<std::uint64_t, read_item> read_;
};

}  // namespace baton::test
