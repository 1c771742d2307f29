// The file that messages of a queue became: it is at the destination for certain before it may end there.
#include <unistd.h>

#include "test/unit/transfer/moved_tree.hpp"

using namespace baton;
using namespace baton::test;

namespace {

// One item of a plan whose bytes are in the spool, and a writer.
class moved_messages {
 public:
  moved_messages() {
    request_.id = std::string(48, 'e');
    request_.specs.emplace_back().from = formats::source_kind::queue;
    write_file(messages_file_of(plan()), content);
    plan_item item;
    item.source = "QUEUE";
    item.destination = out();
    item.identity.size = content.size();
    item.messages = std::string(16, 'i');
    checksum sum(formats::checksum_kind::xxh3);
    sum.update(content);
    item.digest = sum.digest();
    auto written = plan_writer::create(plan());
    written->add(item);
    REQUIRE(written->finish().ok());
    writer_options options;
    options.transfer_id = request_.id;
    options.epoch = 1;
    options.checkpoint_frames = 1000;
    options.checkpoint_bytes = 1 << 30;
    options.may_act = [] { return true; };
    writer.emplace(options, 0);
  }
  std::shared_ptr<source_reader> reader_at(std::uint64_t offset) {
    const formats::frame_header header{request_.id, 1, 1, 0};
    auto opened = open_reader(request_, {plan(), header, 300, {0, offset}, 0});
    REQUIRE(opened.failure.empty());
    return opened.reader;
  }
  std::string plan() const { return where_.path() / "plan"; }
  std::string out() const { return where_.path() / "out"; }

  const std::string content = std::string(1000, 'm');
  std::optional<destination_writer> writer;

 private:
  temporary_directory where_;
  formats::transfer_request request_;
};

}  // namespace

TEST_CASE("messages are on stable storage at the destination before the reader goes on, and have no name yet") {
  moved_messages m;
  const auto reader = m.reader_at(0);
  written_frame last;
  for (bool waits = false; !waits;) {
    const auto frame = reader->next_frame();
    REQUIRE(frame.broken.empty());
    waits = frame.waits;
    last = m.writer->write(frame.bytes, true);
  }
  CHECK(last.durable.item == 0);
  CHECK(last.durable.offset == m.content.size());
  CHECK(last.results.empty());
  CHECK_FALSE(fs::exists(m.out()));
  reader->messages_are_taken();
  const auto end = reader->next_frame();
  CHECK(end.last);
  const auto written = m.writer->write(end.bytes, false);
  REQUIRE(written.results.size() == 1);
  CHECK(written.results[0].result_code == 0);
  CHECK(read_file(m.out()) == m.content);
}

TEST_CASE("a file whose messages are all there ends without them") {
  moved_messages m;
  const auto reader = m.reader_at(0);
  while (true) {
    const auto frame = reader->next_frame();
    m.writer->write(frame.bytes, true);
    if (frame.waits) break;
  }
  fs::remove(messages_file_of(m.plan()));
  const auto again = m.reader_at(m.content.size());
  auto frame = again->next_frame();
  CHECK(frame.waits);
  m.writer->rewind({});
  m.writer->write(frame.bytes, true);
  again->messages_are_taken();
  frame = again->next_frame();
  CHECK(frame.last);
  CHECK(m.writer->write(frame.bytes, false).results.at(0).result_code == 0);
  CHECK(read_file(m.out()) == m.content);
}

TEST_CASE("a spool that is missing or not whole fails the item") {
  moved_messages m;
  fs::resize_file(messages_file_of(m.plan()), 999);
  const auto reader = m.reader_at(0);
  const auto frame = reader->next_frame();
  REQUIRE(frame.ended.size() == 1);
  CHECK_THAT(frame.ended[0].failure, Catch::Contains("BFGIO0003E"));
}
