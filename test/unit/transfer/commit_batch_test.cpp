#include "agent/transfer/commit_batch.hpp"

#include "agent/transfer/part_takeover.hpp"
#include "test/unit/transfer/moved_tree.hpp"

using namespace baton;
using namespace baton::test;
using Catch::Contains;

namespace {

// A finished part file of a few bytes for `name`, added to the batch.
void add(commit_batch& batch, const fs::path& path, std::uint64_t number, bool replace = false, bool there = false) {
  const std::string content = "content of " + std::to_string(number);
  formats::item_begin begin;
  begin.number = number;
  begin.size = content.size();
  begin.mode = 0640;
  begin.checksum = formats::checksum_kind::none;
  begin.exist = replace ? formats::exist_action::overwrite : formats::exist_action::error;
  part_file part(begin, path.string(), part_path(path.string(), "0123456789abcdef", 1, number));
  REQUIRE(part.create().ok());
  REQUIRE(part.write({number, 0, formats::data_check(content), content}).ok());
  REQUIRE(part.finish({number, content.size(), ""}).ok());
  if (there) part.may_be_there();
  batch.add(part);
}

}  // namespace

TEST_CASE("a part file of an earlier epoch becomes another file when its owner may still write to it") {
  const temporary_directory directory;
  const auto old_name = (directory.path() / "x.e1.part").string(), name = (directory.path() / "x.e2.part").string();
  write_file(old_name, "durable and what came behind it");
  struct stat before {
  }, after{};
  REQUIRE(::stat(old_name.c_str(), &before) == 0);
  SECTION("it is gone") {
    REQUIRE(take_part(old_name, name, 7) == 0);
    REQUIRE(::stat(name.c_str(), &after) == 0);
    CHECK(before.st_ino == after.st_ino);
  }
  SECTION("it is paused") {
    descriptor paused;
    REQUIRE(open_to_write(old_name, true, paused) == 0);
    REQUIRE(take_part(old_name, name, 7) == 0);
    REQUIRE(write_all(paused, "HARM", 0) == 0);
    REQUIRE(::stat(name.c_str(), &after) == 0);
    CHECK(before.st_ino != after.st_ino);
    CHECK(read_file(name) == "durable");
  }
  CHECK_FALSE(fs::exists(old_name));
  CHECK(take_part(old_name, name, 7) == ENOENT);
}

TEST_CASE("a part file that is shorter than what is durable of it is left alone, and no copy of it stays") {
  const temporary_directory directory;
  const auto old_name = (directory.path() / "x.e1.part").string(), name = (directory.path() / "x.e2.part").string();
  write_file(old_name, "short");
  descriptor paused;
  REQUIRE(open_to_write(old_name, true, paused) == 0);
  CHECK(take_part(old_name, name, 7) == EIO);
  CHECK(fs::exists(old_name));
  CHECK_FALSE(fs::exists(name));
}

TEST_CASE("a batch of any size gets its names") {
  for (const std::size_t count : {1U, 7U, 8U, 9U, 300U}) {
    const temporary_directory where;
    commit_batch batch([] { return true; });
    for (std::size_t i = 0; i < count; ++i) add(batch, where.path() / ("file" + std::to_string(i)), i);
    CHECK(batch.size() == count);
    CHECK(part_files_in(where.path()) == static_cast<std::ptrdiff_t>(count));
    const auto outcomes = *batch.commit();
    CHECK(outcomes.size() == count);
    CHECK(std::all_of(outcomes.begin(), outcomes.end(), [](const outcome& came) { return came.ok(); }));
    CHECK(batch.size() == 0);
    const auto tree = tree_of(where.path());
    CHECK(tree.size() == count);
    for (std::size_t i = 0; i < count; ++i) {
      CHECK(tree.at("file" + std::to_string(i)) == "content of " + std::to_string(i));
    }
    CHECK(batch.commit()->empty());
  }
}

TEST_CASE("descriptors of a big batch are not kept open") {
  const temporary_directory where;
  const auto open_files = [] {
    return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
  };
  const auto before = open_files();
  commit_batch batch([] { return true; });
  for (std::size_t i = 0; i < 300; ++i) add(batch, where.path() / std::to_string(i), i);
  CHECK(open_files() <= before + 8);
  (void)*batch.commit();
  CHECK(open_files() == before);
}

TEST_CASE("an existing file is not replaced unless that was asked for") {
  for (const std::size_t count : {3U, 20U}) {
    const temporary_directory where;
    write_file(where.path() / "1", "old");
    write_file(where.path() / "2", "old");
    commit_batch batch([] { return true; });
    for (std::size_t i = 0; i < count; ++i) add(batch, where.path() / std::to_string(i), i, i == 2);
    const auto outcomes = *batch.commit();
    REQUIRE(outcomes.size() == count);
    for (std::size_t i = 0; i < count; ++i) CHECK(outcomes[i].ok() == (i != 1));
    CHECK_THAT(outcomes[1].text, Contains("BFGIO0006E"));
    CHECK(read_file(where.path() / "1") == "old");
    CHECK(read_file(where.path() / "2") == "content of 2");
    CHECK(part_files_in(where.path()) == 0);
  }
}

TEST_CASE("two items of a batch with one name do not replace each other") {
  const temporary_directory where;
  commit_batch batch([] { return true; });
  add(batch, where.path() / "same", 1);
  add(batch, where.path() / "same", 2);
  const auto outcomes = *batch.commit();
  CHECK(outcomes.at(0).ok());
  CHECK_THAT(outcomes.at(1).text, Contains("BFGIO0006E"));
  CHECK(read_file(where.path() / "same") == "content of 1");
}

TEST_CASE("a part file that is gone or a directory in the way fails one file of a batch") {
  const temporary_directory where;
  commit_batch batch([] { return true; });
  for (std::size_t i = 0; i < 4; ++i) add(batch, where.path() / std::to_string(i), i, i == 2);
  for (const auto& [name, content] : tree_of(where.path())) {
    if (name.starts_with("1.")) fs::remove(where.path() / name);
  }
  write_file(where.path() / "2/below", "content");
  const auto outcomes = *batch.commit();
  CHECK(outcomes.at(0).ok());
  CHECK_THAT(outcomes.at(1).text, Contains("BFGIO0908E"));  // taken over, not arrived
  CHECK_THAT(outcomes.at(2).text, Contains("BFGIO0341E"));
  CHECK(outcomes.at(3).ok());
  CHECK(part_files_in(where.path()) == 0);
}

TEST_CASE("part names are unique and never longer than a file system takes") {
  const std::string id(48, 'a');
  const std::string long_name = "/d/" + std::string(255, 'n');
  CHECK(part_path("/d/name", id, 7, 3) == "/d/name.aaaaaaaaaaaa.3.e7.part");
  CHECK(part_path(long_name, id, UINT64_MAX, UINT64_MAX).size() <= 3 + 255);
  CHECK(part_path(long_name, id, 7, 3) != part_path(long_name, id, 7, 4));
  CHECK(part_path("/d/name", id, 7, 3) != part_path("/d/name", id, 8, 3));
}

TEST_CASE("an instance that may not act any more renames nothing and says nothing") {
  const temporary_directory where;
  bool allowed = true;
  commit_batch batch([&allowed] { return allowed; });
  for (std::size_t i = 0; i < 3; ++i) add(batch, where.path() / std::to_string(i), i);
  allowed = false;
  CHECK_FALSE(batch.commit().has_value());
  CHECK(part_files_in(where.path()) == 3);
  CHECK_FALSE(fs::exists(where.path() / "0"));
}

TEST_CASE("whether a file is there already is found out before it is asked whether this instance may still act") {
  const temporary_directory directory;
  const auto path = directory.path() / "x";
  write_file(path.string(), "content of 0");
  fs::permissions(path, fs::perms(0640));
  bool may = true;
  // Whoever is asked sees that the comparison is over: what becomes of the file now is not looked at any more.
  commit_batch batch([&] {
    write_file(path.string(), "of another instance");
    return may;
  });
  add(batch, path, 0, false, true);
  SECTION("it may") {
    const auto outcomes = batch.commit();
    REQUIRE(outcomes.has_value());
    CHECK((*outcomes)[0].ok());
  }
  SECTION("it may not") {
    may = false;
    CHECK_FALSE(batch.commit().has_value());
  }
  CHECK(read_file(path.string()) == "of another instance");
}
