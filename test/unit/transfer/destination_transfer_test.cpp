// A destination transfer against a source that this test plays.
#include "agent/transfer/destination_transfer.hpp"

#include "common/text.hpp"
#include "test/unit/transfer/fake_agent.hpp"
#include "test/unit/transfer/moved_tree.hpp"

using namespace baton;
using namespace baton::test;

namespace {

class played_source {
 public:
  played_source() {
    ask_.transfer_id = std::string(48, 'a');
    ask_.source_agent = "SRC";
    ask_.epoch = 1;
    ask_.items_total = 1;
  }
  // With a new attempt.
  void negotiate(bool again = false) {
    ++ask_.attempt;
    ask_.again = again;
    sequence_ = 0;
    if (!transfer_) {
      transfer_ = std::make_shared<destination_transfer>(agent, channels_, ask_, [](const std::string&) {});
    }
    const auto keep = transfer_;
    keep->on_negotiate(ask_);
  }
  std::uint32_t chunk_bytes_answered(std::uint32_t asked) {
    ask_.chunk_bytes = asked;
    negotiate();
    return formats::read_negotiated(agent.sent.back().body)->chunk_bytes;
  }
  formats::frame_writer frame() {
    formats::frame_writer made(4096);
    made.header({ask_.transfer_id, ask_.epoch, ask_.attempt, ++sequence_});
    return made;
  }
  void send(formats::frame_writer frame) {
    auto bytes = frame.take();
    const auto header = formats::read_frame_header(bytes);
    REQUIRE(header.ok());
    transfer_->on_frame(*header, std::move(bytes));
  }
  void add_empty_file(formats::frame_writer& frame, std::uint64_t number,
                      formats::exist_action exist = formats::exist_action::overwrite) {
    formats::item_begin begin;
    begin.number = number;
    begin.exist = exist;
    begin.checksum = formats::checksum_kind::none;
    const std::string path = path_of(number);
    begin.path = path;
    if (struct stat about{}; ::stat(path.c_str(), &about) == 0) {  // the same one
      begin.modified_s = about.st_mtim.tv_sec;
      begin.modified_ns = static_cast<std::uint32_t>(about.st_mtim.tv_nsec);
    }
    frame.add(begin);
    frame.add(formats::item_end{number, 0, {}});
  }
  std::string path_of(std::uint64_t number) const { return (where_.path() / std::to_string(number)).string(); }
  std::string transfer_id() const { return ask_.transfer_id; }
  std::ptrdiff_t part_files() const { return part_files_in(where_.path().string()); }
  formats::ack next_ack() {
    const auto find = [this] {
      while (seen_ < agent.sent.size() && agent.sent[seen_].subject != formats::subject::ack) ++seen_;
      return seen_ < agent.sent.size();
    };
    REQUIRE(agent.loop().run_until(find, 10000));
    return *formats::read_ack(agent.sent[seen_++].body);
  }

  fake_agent agent;

 private:
  temporary_directory where_;
  channel::direct_channels channels_{agent.loop(), agent.pool(), agent.settings(), nullptr};
  formats::negotiate ask_;
  std::uint64_t sequence_ = 0;
  std::size_t seen_ = 0;
  std::shared_ptr<destination_transfer> transfer_;
};

}  // namespace

TEST_CASE("a chunk is as large as suits both sides") {
  played_source source;
  CHECK(source.chunk_bytes_answered(1 << 20) == 1 << 20);
  CHECK(source.chunk_bytes_answered(65536) == 65536);
  source.agent.change_settings().chunk_bytes_chosen = true;
  CHECK(source.chunk_bytes_answered(1 << 20) == 262144);
}

TEST_CASE("who says that all has arrived says again what became of the items before") {
  played_source source;
  source.negotiate();
  auto files = source.frame();
  for (const std::uint64_t number : {0U, 1U}) source.add_empty_file(files, number);
  source.send(std::move(files));
  CHECK(source.next_ack().results.size() == 2);
  // That was lost with the source. Its successor is told at once, on one way, and the end comes on another.
  source.negotiate();
  CHECK(source.next_ack().results.size() == 2);
  auto end = source.frame();
  source.add_empty_file(end, 2);
  end.add(formats::transfer_end{3});
  source.send(std::move(end));
  const auto last = source.next_ack();
  CHECK(last.complete);
  REQUIRE(last.results.size() == 3);
  for (std::uint64_t number = 0; number < 3; ++number) CHECK(last.results[number].number == number);
}

// The first question is given to the next activation once more when the queue manager ends before it was settled.
TEST_CASE("what an earlier activation left is recognised by one that was asked as if it were the first") {
  played_source source;
  source.negotiate();
  const auto part_of_earlier = part_path(source.path_of(0), source.transfer_id(), 0, 0);
  write_file(part_of_earlier, "what came");
  write_file(source.path_of(1), {});
  source.negotiate(true);
  auto files = source.frame();
  source.add_empty_file(files, 0);
  source.add_empty_file(files, 1, formats::exist_action::error);
  source.send(std::move(files));
  const auto told = source.next_ack();
  REQUIRE(told.results.size() == 2);
  for (const auto& result : told.results) CHECK(result.result_code == 0);
  CHECK(source.part_files() == 0);
}
