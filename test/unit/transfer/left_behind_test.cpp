#include "agent/transfer/left_behind.hpp"

#include "agent/transfer/part_file.hpp"
#include "agent/transfer/plan.hpp"
#include "test/unit/seed.hpp"
#include "test/unit/transfer/moved_tree.hpp"

using namespace baton;
using namespace baton::test;

namespace {

const std::string transfer_id(48, 'a');

fs::path plan_of(const temporary_directory& where, const std::vector<std::string>& destinations) {
  const fs::path path = where.path() / "plan";
  auto plan = plan_writer::create(path);
  REQUIRE(plan.ok());
  for (const auto& destination : destinations) {
    plan_item item;
    item.kind = destination.ends_with('/') ? formats::item_kind::directory : formats::item_kind::file;
    item.destination = destination;
    plan->add(item);
  }
  REQUIRE(plan->finish().ok());
  return path;
}

}  // namespace

TEST_CASE("the directories of items without a result are named once, and in bounded number") {
  const temporary_directory where;
  using names = std::vector<std::string>;
  const auto plan = plan_of(where, {"/out/a/1", "/out/a/2", "/out/empty/", "/out/\xFF/3", "/out/a/4", "5", "/6"});
  CHECK(directories_of(plan, 0, {}) == names{".", "/", "/out/a", "/out/\xFF"});
  CHECK(directories_of(plan, 1, {3, 5}) == names{"/", "/out/a"});
  CHECK(directories_of(plan, 7, {}).empty());
  CHECK(directories_of(where.path() / "none", 0, {}).empty());

  std::vector<std::string> many;
  for (int i = 0; i < 1000; ++i) many.push_back("/" + std::string(200, 'd') + std::to_string(i) + "/file");
  const auto found = directories_of(plan_of(where, many), 0, {});
  CHECK(found.size() > 300);
  CHECK(found.size() < 330);  // 64 KiB of names
}

TEST_CASE("part files of earlier activations of one transfer are removed, and nothing else") {
  const temporary_directory where;
  const std::string root = where.path();
  fs::create_directories(root + "/sub");
  const std::string other(48, 'b');
  const std::vector<std::string> go = {part_path(root + "/file", transfer_id, 2, 0),
                                       part_path(root + "/sub/file", transfer_id, 1, 7)};
  const std::vector<std::string> stay = {
      part_path(root + "/file", transfer_id, 3, 0),
      part_path(root + "/file", other, 1, 0),
      root + "/file",
      root + "/.aaaaaaaaaaaa.x.e1.part",
      root + "/sub/note.part",
  };
  for (const auto& names : {go, stay}) {
    for (const auto& name : names) std::ofstream(name) << "content";
  }
  const std::vector<std::string> directories = {".", "sub", root, root + "/none", std::string("sub\0x", 5)};

  remove_left_behind(directories, root, transfer_id, 2, [] { return false; });
  for (const auto& name : go) CHECK(fs::exists(name));
  remove_left_behind(directories, root, transfer_id, 2, [] { return true; });
  for (const auto& name : go) CHECK_FALSE(fs::exists(name));
  for (const auto& name : stay) CHECK(fs::exists(name));
}
