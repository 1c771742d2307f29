// The two ends of a transfer, reader and writer, joined without agents.
#include <fcntl.h>
#include <unistd.h>

#include "test/unit/seed.hpp"
#include "test/unit/transfer/moved_tree.hpp"

using namespace baton;
using namespace baton::test;
using Catch::Contains;
using formats::checksum_kind;

namespace {

const std::vector<std::size_t> chunk_sizes{100, 257, 4096, 262144};

void fill(moved_tree& tree, generator& random) {
  for (const std::size_t size : {0U, 1U, 2U, 99U, 100U, 101U, 4095U, 4096U, 4097U, 30000U}) {
    write_file(tree.in() / ("file" + std::to_string(size)), random_bytes(random, size));
  }
  write_file(tree.in() / "deep/er/and deeper/\xFF\n%name", "any bytes");
  fs::create_directories(tree.in() / "empty/directory");
}

std::string with_plain_line_ends(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    out += text[i];
  }
  return out;
}

}  // namespace

TEST_CASE("a tree arrives as it was at every chunk size") {
  BATON_SEEDED(random);
  for (const std::size_t chunk : chunk_sizes) {
    moved_tree tree;
    fill(tree, random);
    tree.move_all(chunk);
    INFO("chunk " << chunk);
    tree.expect_all_good();
    CHECK(tree_of(tree.out()) == tree_of(tree.in()));
  }
}

TEST_CASE("every checksum method agrees at both ends") {
  for (const auto kind : {checksum_kind::none, checksum_kind::md5, checksum_kind::sha256, checksum_kind::xxh3}) {
    moved_tree tree;
    tree.spec().checksum = kind;
    write_file(tree.in() / "a", std::string(1000, 'x'));
    tree.move_all(300);
    tree.expect_all_good();
    CHECK(tree.results().at(0).checksum.empty() == (kind == checksum_kind::none));
  }
}

TEST_CASE("permissions and times travel but not the set-user-id bit") {
  moved_tree tree;
  write_file(tree.in() / "a", "content");
  REQUIRE(chmod((tree.in() / "a").c_str(), 04751) == 0);
  const timespec times[2] = {{1000, 1}, {1234567890, 987654321}};
  REQUIRE(utimensat(AT_FDCWD, (tree.in() / "a").c_str(), times, 0) == 0);
  tree.move_all(4096);
  struct stat about {};
  REQUIRE(stat((tree.out() / "a").c_str(), &about) == 0);
  CHECK((about.st_mode & 07777) == 0751);
  CHECK(about.st_mtim.tv_sec == 1234567890);
  CHECK(about.st_mtim.tv_nsec == 987654321);
}

TEST_CASE("in text mode line ends change wherever chunks are cut") {
  BATON_SEEDED(random);
  for (const std::size_t chunk : {100U, 101U, 103U, 128U}) {
    moved_tree tree;
    tree.spec().mode = formats::file_mode::text;
    std::map<std::string, std::string> expected;
    for (const char* fixed : {"", "\r", "\n", "\r\n", "\r\r\n", "\r\n\r", "a\rb", "a\r\n"}) {
      const std::string name = "fixed" + to_hex(fixed);
      write_file(tree.in() / name, fixed);
      expected[name] = with_plain_line_ends(fixed);
    }
    for (int i = 0; i < 5; ++i) {
      std::string text;
      for (int j = 0; j < 400; ++j) text += "\r\n\rx"[below(random, 4)];
      write_file(tree.in() / ("random" + std::to_string(i)), text);
      expected["random" + std::to_string(i)] = with_plain_line_ends(text);
    }
    tree.move_all(chunk);
    tree.expect_all_good();
    CHECK(tree_of(tree.out()) == expected);
  }
}

TEST_CASE("a destination file that exists fails its item and stays") {
  moved_tree tree;
  write_file(tree.in() / "a", "new");
  write_file(tree.in() / "b", std::string(5000, 'b'));
  write_file(tree.in() / "c", "new");
  write_file(tree.out() / "b", "old");
  tree.move_all(300);
  CHECK_THAT(tree.failure_of("b"), Contains("BFGIO0006E"));
  CHECK(tree.failure_of("a").empty());
  CHECK(tree.failure_of("c").empty());
  CHECK(read_file(tree.out() / "b") == "old");
}

TEST_CASE("with overwrite a destination file is replaced") {
  moved_tree tree;
  tree.spec().exist = formats::exist_action::overwrite;
  write_file(tree.in() / "a", "new");
  write_file(tree.out() / "a", "old and longer");
  tree.move_all(300);
  tree.expect_all_good();
  CHECK(read_file(tree.out() / "a") == "new");
}

TEST_CASE("a file that appears while its item is written is not replaced") {
  moved_tree tree;
  write_file(tree.in() / "a", std::string(1000, 'x'));
  tree.make_plan();
  const auto from = tree.reader(300);
  const auto to = tree.writer();
  tree.note(to->write(from->next_frame().bytes));
  write_file(tree.out() / "a", "somebody else's");
  tree.move(*from, *to);
  CHECK_THAT(tree.failure_of("a"), Contains("BFGIO0006E"));
  CHECK(read_file(tree.out() / "a") == "somebody else's");
  CHECK(part_files_in(tree.out()) == 0);
}

TEST_CASE("paths that cannot be written fail their items only") {
  moved_tree tree;
  for (const char* name : {"a", "blocked", "directory", "forbidden", "long", "z"})
    write_file(tree.in() / name, "content");
  tree.make_plan();
  write_file(tree.out() / "file", "a file");
  fs::create_directories(tree.out() / "is a directory");
  tree.items()[tree.number_of("blocked")].destination = (tree.out() / "file/below").string();
  tree.items()[tree.number_of("directory")].destination = (tree.out() / "is a directory").string();
  tree.items()[tree.number_of("forbidden")].destination = "/proc/baton-test/file";
  tree.items()[tree.number_of("long")].destination = (tree.out() / std::string(256, 'n')).string();
  tree.write_plan();
  const auto from = tree.reader(4096);
  const auto to = tree.writer();
  CHECK(tree.move(*from, *to));
  CHECK_THAT(tree.failure_of("blocked"), Contains("BFGIO0012E"));
  CHECK_THAT(tree.failure_of("directory"), Contains("BFGIO0002E"));
  CHECK_THAT(tree.failure_of("forbidden"), Contains("BFGIO0007E"));
  CHECK_THAT(tree.failure_of("long"), Contains("File name") || Contains("File"));
  CHECK(tree.failure_of("a").empty());
  CHECK(tree.failure_of("z").empty());
  CHECK(part_files_in(tree.out()) == 0);
}

TEST_CASE("a name as long as a file system takes arrives") {
  moved_tree tree;
  write_file(tree.in() / std::string(255, 'n'), "content");
  tree.move_all(4096);
  tree.expect_all_good();
  CHECK(tree_of(tree.out()) == tree_of(tree.in()));
}

TEST_CASE("a source that is gone or not a file any more fails only its item") {
  moved_tree tree;
  for (const char* name : {"a", "gone", "link", "pipe", "z"}) write_file(tree.in() / name, "content");
  tree.make_plan();
  for (const char* name : {"gone", "link", "pipe"}) fs::remove(tree.in() / name);
  fs::create_symlink("a", tree.in() / "link");
  REQUIRE(mkfifo((tree.in() / "pipe").c_str(), 0600) == 0);
  const auto from = tree.reader(4096);
  const auto to = tree.writer();
  CHECK(tree.move(*from, *to));
  CHECK_THAT(tree.failure_of("gone"), Contains("BFGIO0001E"));
  CHECK_THAT(tree.failure_of("link"), Contains("BFGIO0002E"));
  CHECK_THAT(tree.failure_of("pipe"), Contains("BFGIO0002E"));
  CHECK(tree.results().size() == 2);
  CHECK(tree_of(tree.out()).size() == 2);
}

TEST_CASE("a source that changes while it is read fails only its item") {
  for (const std::string how : {"longer", "shorter", "touched"}) {
    moved_tree tree;
    for (const char* name : {"a", "b", "c"}) write_file(tree.in() / name, std::string(1000, 'x'));
    tree.make_plan();
    const auto from = tree.reader(300);
    const auto to = tree.writer();
    while (from->next_frame().current != (tree.in() / "b").string()) continue;
    const auto again = tree.reader(300);
    for (;;) {
      const auto frame = again->next_frame();
      tree.note(frame);
      tree.note(to->write(frame.bytes));
      if (frame.current == (tree.in() / "b").string()) break;
    }
    if (how == "longer") std::ofstream(tree.in() / "b", std::ios::app) << "more";
    if (how == "shorter") fs::resize_file(tree.in() / "b", 400);
    if (how == "touched")
      fs::last_write_time(tree.in() / "b", fs::file_time_type::clock::now() + std::chrono::hours(1));
    INFO(how);
    CHECK(tree.move(*again, *to));
    CHECK_THAT(tree.failure_of("b"), Contains("BFGIO0902E"));
    CHECK(tree.failure_of("a").empty());
    CHECK(tree.failure_of("c").empty());
    CHECK(tree_of(tree.out()).size() == 2);
  }
}

TEST_CASE("a flipped byte in the data is sent again, and fails its item and no other when that does not help") {
  for (const int damaged : {1, 2, 3}) {
    moved_tree tree;
    for (const char name : {'a', 'b', 'c'}) write_file(tree.in() / std::string(1, name), std::string(500, name));
    tree.make_plan();
    const auto to = tree.writer();
    for (int i = 0; i < damaged; ++i) {
      auto frame = tree.reader(262144, to->durable())->next_frame();
      frame.bytes[std::string_view(frame.bytes).find("bbbbbb") + 3] = 'X';
      tree.note(frame);
      const auto written = to->write(frame.bytes);
      tree.note(written);
      CHECK((written.halted.what == trouble::damaged) == (i < 2));
      CHECK(written.complete == (i == 2));
      if (i < 2) to->rewind();
    }
    if (damaged < 3) CHECK(tree.move(*tree.reader(262144, to->durable()), *to));
    INFO("damaged " << damaged << " times");
    CHECK(tree.failure_of("a").empty());
    CHECK(tree.failure_of("c").empty());
    CHECK(tree.failure_of("b").empty() == (damaged < 3));
    if (damaged == 3) CHECK_THAT(tree.failure_of("b"), Contains("BFGIO0905E"));
    CHECK(tree_of(tree.out()).size() == (damaged < 3 ? 3 : 2));
    CHECK(part_files_in(tree.out()) == 0);
  }
}

TEST_CASE("a hole arrives as a hole, wherever it is and also after an interruption") {
  for (const std::size_t checkpoint : {1U, 1000U}) {
    moved_tree tree;
    constexpr std::size_t hole = 8 << 20;
    const std::string data(10000, 'd');
    write_file(tree.in() / "a", std::string(hole, '\0') + data + std::string(hole, '\0'));
    write_file(tree.in() / "b", std::string(hole, '\0'));
    tree.make_plan();
    const auto to = tree.writer(static_cast<std::uint32_t>(checkpoint));
    for (bool last = false; !last;) {  // interrupted after every second frame
      const auto from = tree.reader(1 << 20, to->durable());
      for (int i = 0; i < (checkpoint == 1 ? 2 : 1000) && !last; ++i) {
        const auto frame = from->next_frame();
        tree.note(frame);
        tree.note(to->write(frame.bytes));
        last = frame.last;
      }
      to->rewind();
    }
    tree.expect_all_good();
    CHECK(tree_of(tree.out()) == tree_of(tree.in()));
    struct stat about {};
    REQUIRE(::stat((tree.out() / "a").c_str(), &about) == 0);
    CHECK(about.st_blocks * 512 < static_cast<std::int64_t>(hole));
    REQUIRE(::stat((tree.out() / "b").c_str(), &about) == 0);
    CHECK(about.st_blocks == 0);
  }
}

TEST_CASE("a wrong checksum at the end of an item keeps it from its name") {
  moved_tree tree;
  write_file(tree.in() / "a", std::string(500, 'a'));
  tree.make_plan();
  auto frame = tree.reader(262144)->next_frame();
  // The last record is the transfer's end, 13 bytes; before it the digest of the item.
  frame.bytes[frame.bytes.size() - 14] = static_cast<char>(frame.bytes[frame.bytes.size() - 14] ^ 1);
  tree.note(frame);
  tree.note(tree.writer()->write(frame.bytes));
  CHECK_THAT(tree.failure_of("a"), Contains("BFGIO0904E"));
  CHECK(tree_of(tree.out()).empty());
}

TEST_CASE("a part file that somebody removed fails its item") {
  moved_tree tree;
  write_file(tree.in() / "a", std::string(1000, 'x'));
  tree.make_plan();
  const auto from = tree.reader(300);
  const auto to = tree.writer();
  tree.note(to->write(from->next_frame().bytes));
  REQUIRE(part_files_in(tree.out()) == 1);
  for (const auto& [name, content] : tree_of(tree.out())) fs::remove(tree.out() / name);
  tree.move(*from, *to);
  CHECK_THAT(tree.failure_of("a"), Contains("BFGIO0908E"));
}

TEST_CASE("the rest of an item that the destination refused is not read") {
  moved_tree tree;
  write_file(tree.in() / "a", std::string(100000, 'x'));
  write_file(tree.in() / "b", "content");
  write_file(tree.out() / "a", "old");
  tree.make_plan();
  const auto from = tree.reader(1000);
  const auto to = tree.writer();
  const auto first = from->next_frame();
  tree.note(first);
  tree.note(to->write(first.bytes));
  CHECK_THAT(tree.failure_of("a"), Contains("BFGIO0006E"));
  from->skip(0);
  const auto second = from->next_frame();
  CHECK(second.last);
  tree.note(to->write(second.bytes));
  CHECK(read_file(tree.out() / "b") == "content");
}

TEST_CASE("records of an item that is not open are not written into another one") {
  moved_tree tree;
  write_file(tree.in() / "a", std::string(1000, 'x'));
  tree.make_plan();
  const auto from = tree.reader(300);
  const auto to = tree.writer();
  tree.note(to->write(from->next_frame().bytes));
  const std::uint64_t offset = to->durable().offset;
  formats::frame_writer strange(1000);
  strange.header({tree.request().id, 1, 1, 2});
  strange.add_data(7, offset, 3,
                   [](char* buffer, std::size_t) { return std::copy_n("odd", 3, buffer), std::size_t{3}; });
  strange.add(formats::item_abort{7, "not this one"});
  strange.add(formats::item_end{7, 3, ""});
  tree.note(to->write(strange.take()));
  CHECK(tree.move(*from, *to));
  tree.expect_all_good();
  CHECK(tree_of(tree.out()) == tree_of(tree.in()));
}

TEST_CASE("damaged frames never break the writer and leave no part file") {
  BATON_SEEDED(random);
  moved_tree tree;
  for (const char* name : {"a", "b", "c"}) write_file(tree.in() / name, random_bytes(random, 300));
  tree.spec().destination = "below";  // relative to the writer's root
  tree.make_plan();
  std::vector<std::string> frames;
  const auto from = tree.reader(200);
  for (bool last = false; !last;) {
    auto frame = from->next_frame();
    last = frame.last;
    frames.emplace_back(frame.bytes);
  }
  for (int i = 0; i < 100; ++i) {
    const auto to = tree.writer(3);
    for (const auto& good : frames) {
      const std::string frame = below(random, 3) == 0 ? mutated(random, good) : good;
      bool inside = true;  // a damaged path must not make this test write elsewhere
      (void)formats::read_frame_records(frame, [&](const formats::record& r) {
        const auto* begin = std::get_if<formats::item_begin>(&r);
        inside &= begin == nullptr || (begin->path.starts_with("below") && begin->path.find("..") == std::string::npos);
        return done();
      });
      if (inside) (void)to->write(frame);
      if (below(random, 5) == 0) to->rewind();
    }
    to->discard();
    REQUIRE(part_files_in(tree.out()) == 0);
    fs::remove_all(tree.out());
  }
}

TEST_CASE("many small files share frames and each frame is bounded") {
  moved_tree tree;
  for (int i = 0; i < 600; ++i) write_file(tree.in() / std::to_string(i), std::to_string(i));
  tree.make_plan();
  const auto from = tree.reader(262144);
  const auto to = tree.writer();
  int frames = 0;
  for (bool last = false; !last; ++frames) {
    const auto frame = from->next_frame();
    CHECK(frame.ended.size() <= 256);
    CHECK(frame.bytes.size() <= 262144 + 4096);
    tree.note(frame);
    tree.note(to->write(frame.bytes));
    last = frame.last;
  }
  CHECK(frames == 3);
  tree.expect_all_good();
  CHECK(tree_of(tree.out()) == tree_of(tree.in()));
}
