#include "common/formats/frame.hpp"

#include <cstring>
#include <memory>
#include <vector>

#include "test/unit/seed.hpp"

using namespace baton;
using namespace baton::formats;

namespace {

const std::string id = "00112233445566778899aabbccddeeff0011223344556677";

item_begin sample_begin() {
  item_begin r;
  r.number = UINT64_MAX;
  r.offset = 1;
  r.size = 2;
  r.mode = 0640;
  r.modified_s = -5;
  r.modified_ns = 999999999;
  r.kind = item_kind::directory;
  r.exist = exist_action::overwrite;
  r.transfer_mode = file_mode::text;
  r.checksum = checksum_kind::md5;
  r.path = "/out/\xFF";
  return r;
}

std::size_t put_data(frame_writer& frame, std::uint64_t number, std::uint64_t offset, std::string_view bytes) {
  return frame.add_data(number, offset, bytes.size(), [&](char* buffer, std::size_t) {
    std::memcpy(buffer, bytes.data(), bytes.size());
    return bytes.size();
  });
}

std::string sample_frame() {
  frame_writer frame(1000);
  frame.header({id, 1, 2, 3});
  frame.add(sample_begin());
  put_data(frame, 7, 8, "some bytes");
  frame.add(item_end{7, 18, "0123456789abcdef"});
  frame.add(item_abort{8, "why"});
  frame.add(transfer_end{9});
  frame.add(item_sync{10});
  return std::string(frame.take());
}

std::vector<record> records_of(std::string_view frame) {
  std::vector<record> found;
  const auto read = read_frame_records(frame, [&](const record& r) {
    found.push_back(r);
    return done();
  });
  INFO((read ? "" : read.error().text));
  CHECK(read.ok());
  return found;
}

}  // namespace

TEST_CASE("a frame header comes back as it was written") {
  const auto header = read_frame_header(sample_frame());
  REQUIRE(header.ok());
  CHECK(header->transfer_id == id);
  CHECK(header->epoch == 1);
  CHECK(header->attempt == 2);
  CHECK(header->sequence == 3);
}

TEST_CASE("the start of an item comes back as it was written") {
  const std::string frame = sample_frame();
  const auto got = std::get<item_begin>(records_of(frame).at(0));
  const auto sent = sample_begin();
  CHECK(got.number == sent.number);
  CHECK(got.offset == sent.offset);
  CHECK(got.size == sent.size);
  CHECK(got.mode == sent.mode);
  CHECK(got.modified_s == sent.modified_s);
  CHECK(got.modified_ns == sent.modified_ns);
  CHECK(got.kind == sent.kind);
  CHECK(got.exist == sent.exist);
  CHECK(got.transfer_mode == sent.transfer_mode);
  CHECK(got.checksum == sent.checksum);
  CHECK(got.path == sent.path);
}

TEST_CASE("the other records come back as they were written") {
  const std::string frame = sample_frame();
  const auto records = records_of(frame);
  REQUIRE(records.size() == 6);
  const auto data = std::get<item_data>(records[1]);
  CHECK(data.number == 7);
  CHECK(data.offset == 8);
  CHECK(data.bytes == "some bytes");
  CHECK(data.check == data_check("some bytes"));
  const auto end = std::get<item_end>(records[2]);
  CHECK(end.number == 7);
  CHECK(end.size == 18);
  CHECK(end.checksum == "0123456789abcdef");
  const auto gone = std::get<item_abort>(records[3]);
  CHECK(gone.number == 8);
  CHECK(gone.text == "why");
  CHECK(std::get<transfer_end>(records[4]).items == 9);
  CHECK(std::get<item_sync>(records[5]).number == 10);
}

TEST_CASE("data that gives no bytes leaves no record") {
  frame_writer frame(100);
  frame.header({id, 1, 1, 1});
  const std::size_t before = frame.size();
  CHECK(frame.add_data(1, 0, 50, [](char*, std::size_t) { return std::size_t{0}; }) == 0);
  CHECK(frame.size() == before);
  CHECK(frame.add_data(1, 0, 50, [](char* buffer, std::size_t) { return buffer[0] = 'x', std::size_t{1}; }) == 1);
  CHECK(frame.size() == before + data_record_bytes + 1);
}

TEST_CASE("a long text of an abort is cut") {
  frame_writer frame(100);
  frame.header({id, 1, 1, 1});
  const std::string text(100000, 'x');
  frame.add(item_abort{1, text});
  const std::string bytes(frame.take());
  CHECK(std::get<item_abort>(records_of(bytes).at(0)).text.size() == 1000);
}

TEST_CASE("unknown record types and bytes behind the known fields are skipped") {
  frame_writer frame(100);
  frame.header({id, 1, 1, 1});
  std::string bytes(frame.take());
  bytes += std::string("\x63\0\0\0\x03", 5) + "new";
  bytes += std::string("\x05\0\0\0\x0C\0\0\0\0\0\0\0\x2A", 13) + "more";
  bytes += std::string("\0\0\0\0\0", 5);
  const auto records = records_of(bytes);
  REQUIRE(records.size() == 1);
  CHECK(std::get<transfer_end>(records[0]).items == 42);
}

TEST_CASE("what is not a frame of the known version is refused") {
  CHECK_FALSE(read_frame_header("").ok());
  CHECK_FALSE(read_frame_header("BTNF").ok());
  std::string other = sample_frame();
  other[0] = 'X';
  CHECK_FALSE(read_frame_header(other).ok());
  std::string newer = sample_frame();
  newer[4] = 2;
  REQUIRE_FALSE(read_frame_header(newer).ok());
  CHECK_THAT(read_frame_header(newer).error().text, Catch::Contains("version 2"));
}

TEST_CASE("an enumeration beyond its words is damage") {
  const std::string good = sample_frame();
  const std::size_t kind_at = frame_header_bytes + 5 + 8 + 8 + 8 + 4 + 8 + 4;
  for (std::size_t i = 0; i < 4; ++i) {
    std::string bad = good;
    bad[kind_at + i] = 9;
    const auto read = read_frame_records(bad, [](const record&) { return done(); });
    REQUIRE_FALSE(read.ok());
    CHECK_THAT(read.error().text, Catch::Contains("damaged"));
  }
}

TEST_CASE("reading stops with the error of who handles a record") {
  int seen = 0;
  const auto read = read_frame_records(sample_frame(), [&](const record&) -> status {
    ++seen;
    return error{errc::io, "full"};
  });
  CHECK(seen == 1);
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().text == "full");
}

TEST_CASE("a frame cut at any byte is read up to there or refused") {
  const std::string good = sample_frame();
  for (std::size_t size = 0; size < good.size(); ++size) {
    // A copy of exactly this size: reading behind it is seen by the address sanitizer.
    const std::unique_ptr<char[]> exact(new char[size]);
    std::memcpy(exact.get(), good.data(), size);
    const std::string_view cut(exact.get(), size);
    CHECK(read_frame_header(cut).ok() == (size >= frame_header_bytes));
    std::size_t bytes = 0;
    (void)read_frame_records(cut, [&](const record& r) {
      if (const auto* data = std::get_if<item_data>(&r)) bytes += data->bytes.size();
      return done();
    });
    CHECK(bytes <= size);
  }
}

TEST_CASE("a damaged frame never gives views outside of it") {
  BATON_SEEDED(random);
  const std::string good = sample_frame();
  for (int i = 0; i < 20000; ++i) {
    std::string text = test::mutated(random, good);
    if (test::below(random, 2) == 0) text = test::mutated(random, text);
    const std::unique_ptr<char[]> exact(new char[text.size()]);
    std::memcpy(exact.get(), text.data(), text.size());
    const std::string_view frame(exact.get(), text.size());
    const auto inside = [&](std::string_view view) {
      return view.empty() || (view.data() >= frame.data() && view.data() + view.size() <= frame.data() + frame.size());
    };
    (void)read_frame_header(frame);
    bool all_inside = true;
    (void)read_frame_records(frame, [&](const record& r) {
      if (const auto* begin = std::get_if<item_begin>(&r)) all_inside &= inside(begin->path);
      if (const auto* data = std::get_if<item_data>(&r)) all_inside &= inside(data->bytes);
      if (const auto* end = std::get_if<item_end>(&r)) all_inside &= inside(end->checksum);
      if (const auto* gone = std::get_if<item_abort>(&r)) all_inside &= inside(gone->text);
      return done();
    });
    REQUIRE(all_inside);
  }
}
