// A transfer that is interrupted after any frame and goes on from where the destination says.
#include <fcntl.h>
#include <sys/stat.h>

#include "test/unit/seed.hpp"
#include "test/unit/transfer/moved_tree.hpp"

using namespace baton;
using namespace baton::test;
using Catch::Contains;

namespace {

struct circumstances {
  std::size_t chunk_bytes = 150;
  std::uint32_t checkpoint_frames = 1;
  std::size_t lost_frames = 0;  // read and sent, but not written, when it was interrupted
  formats::file_mode mode = formats::file_mode::binary;
  formats::exist_action exist = formats::exist_action::error;
};

void fill(moved_tree& tree, const circumstances& given) {
  write_file(tree.in() / "a", std::string(400, 'a'));
  write_file(tree.in() / "b", "");
  write_file(tree.in() / "c", "line\r\n\r\nend\r" + std::string(300, '\r') + "\n");
  write_file(tree.in() / "d/e", std::string(150, 'e'));
  fs::create_directories(tree.in() / "f/empty");
  if (given.exist == formats::exist_action::overwrite) write_file(tree.out() / "a", "old");
  tree.spec().mode = given.mode;
  tree.spec().exist = given.exist;
  tree.make_plan();
}

// Writes `count` frames, then loses some; false when the transfer ended before.
bool move_some(moved_tree& tree, source_reader& from, destination_writer& to, std::size_t count, std::size_t lost) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto frame = from.next_frame();
    tree.note(frame);
    tree.note(to.write(frame.bytes));
    if (frame.last) return false;
  }
  for (std::size_t i = 0; i < lost; ++i) {
    if (from.next_frame().last) break;
  }
  return true;
}

std::map<std::string, std::string> expected(const moved_tree& tree, const circumstances& given) {
  auto files = tree_of(tree.in());
  if (given.mode == formats::file_mode::text) files["c"] = "line\n\nend" + std::string(300, '\r') + "\n";
  return files;
}

// Interrupts after each frame in turn, and checks that the outcome is that of a transfer without trouble.
void interrupt_everywhere(const circumstances& given) {
  bool more = true;
  for (std::size_t after = 0; more; ++after) {
    moved_tree tree;
    fill(tree, given);
    const auto to = tree.writer(given.checkpoint_frames);
    more = move_some(tree, *tree.reader(given.chunk_bytes), *to, after, given.lost_frames);
    INFO("after frame " << after << ", lost " << given.lost_frames << ", checkpoint " << given.checkpoint_frames);
    if (more) {
      const auto before = to->durable();
      to->rewind();
      CHECK(to->durable() == before);
      CHECK(tree.move(*tree.reader(given.chunk_bytes, to->durable()), *to));
    }
    to->discard();
    tree.expect_all_good();
    CHECK(tree_of(tree.out()) == expected(tree, given));
    REQUIRE(after < 200);
  }
}

}  // namespace

TEST_CASE("an interruption after any frame does not change what arrives") {
  for (const std::size_t lost : {0U, 1U, 3U}) {
    for (const std::uint32_t checkpoint : {1U, 3U}) {
      interrupt_everywhere({150, checkpoint, lost, formats::file_mode::binary, formats::exist_action::error});
    }
  }
}

TEST_CASE("an interruption in text mode does not change what arrives") {
  interrupt_everywhere({150, 1, 1, formats::file_mode::text, formats::exist_action::error});
  interrupt_everywhere({133, 1, 0, formats::file_mode::text, formats::exist_action::error});
}

TEST_CASE("an interruption with overwrite does not change what arrives") {
  interrupt_everywhere({150, 2, 1, formats::file_mode::binary, formats::exist_action::overwrite});
  interrupt_everywhere({262144, 1, 0, formats::file_mode::binary, formats::exist_action::overwrite});
}

TEST_CASE("an interruption after every frame still comes to an end") {
  moved_tree tree;
  circumstances given;
  given.chunk_bytes = 300;  // each frame has room for some data behind what it needs to begin an item
  fill(tree, given);
  const auto to = tree.writer(1);
  int attempts = 0;
  for (bool last = false; !last; ++attempts) {
    const auto frame = tree.reader(given.chunk_bytes, to->durable())->next_frame();
    tree.note(frame);
    tree.note(to->write(frame.bytes));
    last = frame.last;
    to->rewind();
    REQUIRE(attempts < 200);
  }
  tree.expect_all_good();
  CHECK(tree_of(tree.out()) == expected(tree, given));
}

TEST_CASE("a chunk size that changes between attempts does not matter") {
  BATON_SEEDED(random);
  for (int i = 0; i < 20; ++i) {
    moved_tree tree;
    fill(tree, {});
    const auto to = tree.writer(1 + static_cast<std::uint32_t>(below(random, 4)));
    while (move_some(tree, *tree.reader(100 + below(random, 400), to->durable()), *to, 1 + below(random, 4),
                     below(random, 3))) {
      to->rewind();
    }
    tree.expect_all_good();
    CHECK(tree_of(tree.out()) == expected(tree, {}));
  }
}

TEST_CASE("a source that changed during an interruption fails and only that") {
  for (std::size_t after = 1; after < 5; ++after) {
    moved_tree tree;
    for (const char* name : {"a", "b", "c"}) write_file(tree.in() / name, std::string(400, name[0]));
    tree.make_plan();
    const auto to = tree.writer(1);
    move_some(tree, *tree.reader(150), *to, after, 0);
    const auto from = to->durable();
    REQUIRE(from.item < 3);
    const std::string name(1, static_cast<char>('a' + from.item));
    write_file(tree.in() / name, std::string(400, 'X'));
    fs::last_write_time(tree.in() / name, fs::file_time_type::clock::now() + std::chrono::hours(1));
    to->rewind();
    CHECK(tree.move(*tree.reader(150, from), *to));
    to->discard();
    INFO("after frame " << after << ": item " << from.item << " from byte " << from.offset);
    for (const char* other : {"a", "b", "c"}) {
      if (other != name) CHECK(tree.failure_of(other).empty());
    }
    if (from.offset > 0) {
      CHECK_THAT(tree.failure_of(name), Contains("BFGIO0903E"));
      CHECK_FALSE(fs::exists(tree.out() / name));
    } else {
      CHECK(read_file(tree.out() / name) == std::string(400, 'X'));  // begun anew, it is sent as it is now
    }
    CHECK(part_files_in(tree.out()) == 0);
  }
}

TEST_CASE("a position that no part file belongs to fails its item") {
  moved_tree tree;
  write_file(tree.in() / "a", std::string(1000, 'a'));
  tree.make_plan();
  auto to = tree.writer(1);
  move_some(tree, *tree.reader(300), *to, 2, 0);
  const auto from = to->durable();
  REQUIRE(from.offset > 0);
  to = tree.writer(1);  // another process, which knows nothing of it
  CHECK(tree.move(*tree.reader(300, from), *to));
  CHECK_THAT(tree.failure_of("a"), Contains("BFGIO0903E"));
  CHECK_FALSE(fs::exists(tree.out() / "a"));
}

TEST_CASE("a cut frame is sent again and nothing is lost") {
  moved_tree tree;
  fill(tree, {});
  const auto to = tree.writer(1);
  std::size_t cuts = 0;
  for (bool last = false; !last;) {
    const auto from = tree.reader(500, to->durable());
    auto frame = from->next_frame();
    auto cut = to->write(std::string_view(frame.bytes).substr(0, frame.bytes.size() - 1));
    CHECK(cut.halted.what == trouble::damaged);
    // What it says of items that ended before the cut is true, and is told.
    tree.note(cut);
    to->rewind();
    frame = tree.reader(500, to->durable())->next_frame();
    tree.note(frame);
    tree.note(to->write(frame.bytes));
    last = frame.last;
    to->rewind();
    REQUIRE(++cuts < 100);
  }
  CHECK(tree.results().size() == tree.items().size());
  CHECK(tree_of(tree.out()) == expected(tree, {}));
}

TEST_CASE("another instance goes on from the part file and the earlier one cannot commit it") {
  moved_tree tree;
  write_file(tree.in() / "a", std::string(3000, 'a'));
  tree.make_plan();
  const auto stale = tree.writer(1, 1);
  const auto sending = tree.reader(300);
  for (int i = 0; i < 3; ++i) (void)stale->write(sending->next_frame().bytes);
  const auto left = stale->open_item();
  REQUIRE(left.has_value());
  REQUIRE(left->offset > 0);
  const auto next = tree.writer(1, 2);
  next->adopt(*left);
  CHECK(next->durable() == formats::position{0, left->offset});
  CHECK_FALSE(fs::exists(left->part));
  // The earlier one wakes up and gets all the rest: its rename finds no name.
  std::vector<formats::item_result> told;
  for (bool last = false; !last;) {
    const auto frame = sending->next_frame();
    for (const auto& result : stale->write(frame.bytes).results) told.push_back(result);
    last = frame.last;
  }
  REQUIRE(told.size() == 1);
  CHECK_THAT(told[0].text, Contains("BFGIO0908E"));
  CHECK_FALSE(fs::exists(tree.out() / "a"));
  next->begin_at(0);
  CHECK(tree.move(*tree.reader(300, next->durable()), *next));
  tree.expect_all_good();
  CHECK(read_file(tree.out() / "a") == std::string(3000, 'a'));
  CHECK(part_files_in(tree.out()) == 0);
}

TEST_CASE("an item that arrived, and whose result was lost, is in nobody's way however often it is received again") {
  moved_tree tree;
  write_file(tree.in() / "a", std::string(1000, 'a'));
  tree.make_plan();
  REQUIRE(tree.move(*tree.reader(300), *tree.writer()));
  tree.forget_results();
  // The next activation knows nothing of it, and begins anew; the one after that goes on from its part file.
  const auto second = tree.writer(1, 2);
  move_some(tree, *tree.reader(300), *second, 2, 0);
  const auto left = second->open_item();
  REQUIRE(left.has_value());
  REQUIRE(left->offset > 0);
  const auto third = tree.writer(1, 3);
  third->adopt(*left);
  CHECK(third->durable().offset == left->offset);
  CHECK(tree.move(*tree.reader(300, third->durable()), *third));
  third->discard();
  tree.expect_all_good();
  CHECK(tree_of(tree.out()) == tree_of(tree.in()));
}

TEST_CASE("an item that arrived, and whose result was lost, stays as it is when it is received again") {
  struct stat before {
  }, after{};
  for (const char* changed : {"nothing", "bytes", "permissions"}) {
    INFO(changed << " changed meanwhile");
    moved_tree tree;
    write_file(tree.in() / "a", std::string(1000, 'a'));
    tree.make_plan();
    REQUIRE(tree.move(*tree.reader(300), *tree.writer()));
    const auto arrived = tree.out() / "a";
    REQUIRE(stat(arrived.c_str(), &before) == 0);
    if (changed == std::string("bytes")) {
      write_file(arrived, std::string(1000, 'b'));
      const timespec times[2] = {before.st_atim, before.st_mtim};
      REQUIRE(utimensat(AT_FDCWD, arrived.c_str(), times, 0) == 0);
    }
    if (changed == std::string("permissions")) REQUIRE(chmod(arrived.c_str(), 0600) == 0);
    tree.forget_results();
    const auto next = tree.writer(1, 2);
    next->begin_at(0);
    CHECK(tree.move(*tree.reader(300, next->durable()), *next));
    next->discard();
    tree.expect_all_good();
    CHECK(tree_of(tree.out()) == tree_of(tree.in()));
    CHECK(part_files_in(tree.out()) == 0);
    REQUIRE(stat(arrived.c_str(), &after) == 0);
    CHECK((after.st_ino == before.st_ino) == (changed == std::string("nothing")));
  }
}

TEST_CASE("a part file that is gone or too short begins its item anew") {
  for (const bool gone : {true, false}) {
    moved_tree tree;
    write_file(tree.in() / "a", std::string(3000, 'a'));
    tree.make_plan();
    const auto first = tree.writer(1, 1);
    move_some(tree, *tree.reader(300), *first, 3, 0);
    const auto left = first->open_item();
    REQUIRE(left.has_value());
    gone ? (void)fs::remove(left->part) : fs::resize_file(left->part, left->offset - 1);
    const auto next = tree.writer(1, 2);
    next->adopt(*left);
    CHECK(next->durable() == formats::position{0, 0});
    CHECK(tree.move(*tree.reader(300, next->durable()), *next));
    tree.expect_all_good();
    CHECK(part_files_in(tree.out()) == 0);
  }
}

TEST_CASE("without a record older part files of an item are removed when it begins") {
  moved_tree tree;
  write_file(tree.in() / "a", std::string(3000, 'a'));
  tree.make_plan();
  for (const std::uint64_t epoch : {1U, 2U}) move_some(tree, *tree.reader(300), *tree.writer(1, epoch), 3, 0);
  const auto last = tree.writer(1, 3);
  CHECK(tree.move(*tree.reader(300), *last));
  CHECK(part_files_in(tree.out()) == 0);
}

TEST_CASE("an instance whose lease is over writes, renames and removes nothing") {
  moved_tree tree;
  write_file(tree.in() / "a", std::string(1000, 'a'));
  tree.make_plan();
  bool holds = true;
  const auto to = tree.writer(1, 1, [&holds] { return holds; });
  const auto from = tree.reader(300);
  (void)to->write(from->next_frame().bytes);
  holds = false;
  for (bool last = false; !last;) {
    const auto frame = from->next_frame();
    const auto written = to->write(frame.bytes);
    CHECK(written.dropped);
    CHECK(written.results.empty());
    last = frame.last;
  }
  to->discard();
  CHECK(part_files_in(tree.out()) == 1);
  CHECK_FALSE(fs::exists(tree.out() / "a"));
}

TEST_CASE("a lock that was uncertain for a moment, at whatever step, costs an attempt and nothing else") {
  std::uint64_t asked = 0, doubted = 0;
  for (std::uint64_t doubt = 1; doubt <= doubted + 1 && doubt < 100; ++doubt) {
    moved_tree tree;
    circumstances given;
    given.exist = formats::exist_action::error;
    fill(tree, given);
    asked = 0;
    const auto to = tree.writer(1, 1, [&] { return ++asked != doubt; });
    int attempts = 0;
    for (bool complete = false; !complete; ++attempts) {
      const auto from = tree.reader(given.chunk_bytes, to->durable());
      for (bool last = false; !last;) {
        const auto frame = from->next_frame();
        tree.note(frame);
        const auto written = to->write(frame.bytes);
        tree.note(written);
        last = frame.last || written.dropped;
        complete = written.complete && !written.dropped;
      }
      to->rewind();
      REQUIRE(attempts < 3);
    }
    doubted = asked;
    INFO("doubt " << doubt);
    tree.expect_all_good();
    CHECK(tree_of(tree.out()) == expected(tree, given));
  }
  CHECK(doubted > 10);
}

TEST_CASE("files that wait for those behind them arrive all the same, and again after an interruption") {
  BATON_SEEDED(random);
  for (int i = 0; i < 60; ++i) {
    moved_tree tree;
    for (int f = 0; f < 30; ++f)
      write_file(tree.in() / ("f" + std::to_string(f)), std::string(below(random, 300), 'f'));
    tree.make_plan();
    const auto to = tree.writer(1 + static_cast<std::uint32_t>(below(random, 3)));
    bool waited = false;
    for (bool complete = false; !complete;) {
      const auto from = tree.reader(200 + below(random, 300), to->durable());
      for (bool last = false; !last && below(random, 12) != 0;) {
        const auto frame = from->next_frame();
        tree.note(frame);
        last = frame.last;
        const auto written = to->write(frame.bytes, !last && below(random, 3) != 0);
        for (const auto& result : written.results) {
          if (tree.results().count(result.number) == 0) continue;
          FAIL("item " << result.number << " is told twice");
        }
        tree.note(written);
        waited |= written.results.empty();
        complete = written.complete;
      }
      if (!complete) to->rewind();
    }
    to->discard();
    CHECK(waited);
    tree.expect_all_good();
    CHECK(tree_of(tree.out()) == tree_of(tree.in()));
    CHECK(part_files_in(tree.out()) == 0);
  }
}
