#include "agent/transfer/planner.hpp"

#include <sys/stat.h>

#include <set>

#include "test/unit/transfer/moved_tree.hpp"

using namespace baton;
using namespace baton::test;
using Catch::Contains;
using formats::destination_kind;

namespace {

struct planned {
  std::vector<plan_item> items;
  std::optional<plan_failure> failure;

  // Destination below /out -> source below the tree; failed items by their source.
  std::map<std::string, std::string> moves(const fs::path& root) const {
    std::map<std::string, std::string> found;
    for (const auto& item : items) {
      if (item.failure.empty()) found[item.destination] = fs::path(item.source).lexically_relative(root).string();
    }
    return found;
  }
  std::vector<std::string> failures() const {
    std::vector<std::string> found;
    for (const auto& item : items) {
      if (!item.failure.empty()) found.push_back(item.failure);
    }
    return found;
  }
};

class source_tree {
 public:
  source_tree() {
    for (const char* name : {"a.txt", "b.txt", "c.log", "sub/d.txt", "sub/deeper/e.txt", "sub/f.log"}) {
      write_file(root() / name, name);
    }
    fs::create_directories(root() / "sub/empty");
  }
  fs::path root() const { return where_.path() / "tree"; }

  planned plan(const std::string& source, bool recursive, destination_kind kind = destination_kind::directory,
               planner_options options = {}) const {
    formats::transfer_request request;
    auto& spec = request.specs.emplace_back();
    spec.source = source;
    spec.recursive = recursive;
    spec.destination = "/out";
    spec.kind = kind;
    options.root = root().string();
    planned made;
    made.failure = make_plan(request, options, [&](plan_item item) { made.items.push_back(std::move(item)); });
    for (std::size_t i = 0; i < made.items.size(); ++i) CHECK(made.items[i].number == i);
    return made;
  }

 private:
  temporary_directory where_;
};

using moves = std::map<std::string, std::string>;

}  // namespace

TEST_CASE("one file goes to a file or into a directory") {
  const source_tree tree;
  CHECK(tree.plan("a.txt", false, destination_kind::file).moves(tree.root()) == moves{{"/out", "a.txt"}});
  CHECK(tree.plan((tree.root() / "a.txt").string(), false).moves(tree.root()) == moves{{"/out/a.txt", "a.txt"}});
}

TEST_CASE("a directory means its files and with recursion all below") {
  const source_tree tree;
  const moves flat{{"/out/a.txt", "a.txt"}, {"/out/b.txt", "b.txt"}, {"/out/c.log", "c.log"}};
  CHECK(tree.plan(tree.root().string(), false).moves(tree.root()) == flat);
  CHECK(tree.plan(tree.root().string() + "///", false).moves(tree.root()) == flat);
  const moves below{{"/out/d.txt", "sub/d.txt"},
                    {"/out/deeper/e.txt", "sub/deeper/e.txt"},
                    {"/out/f.log", "sub/f.log"},
                    {"/out/empty", "sub/empty"}};
  CHECK(tree.plan("sub", true).moves(tree.root()) == below);
}

TEST_CASE("an empty directory is an item and others are not") {
  const source_tree tree;
  int directories = 0;
  for (const auto& item : tree.plan("sub", true).items) {
    if (item.kind == formats::item_kind::directory) ++directories;
  }
  CHECK(directories == 1);
}

TEST_CASE("wildcards match files in any part of the path") {
  const source_tree tree;
  CHECK(tree.plan("*.txt", false).moves(tree.root()) == moves{{"/out/a.txt", "a.txt"}, {"/out/b.txt", "b.txt"}});
  CHECK(tree.plan("?.log", false).moves(tree.root()) == moves{{"/out/c.log", "c.log"}});
  CHECK(tree.plan("s*/*.txt", false).moves(tree.root()) == moves{{"/out/d.txt", "sub/d.txt"}});
  CHECK(tree.plan("*", false).moves(tree.root()).size() == 3);  // no directory
}

TEST_CASE("a wildcard with recursion matches below and keeps directories") {
  const source_tree tree;
  const moves all{{"/out/a.txt", "a.txt"},
                  {"/out/b.txt", "b.txt"},
                  {"/out/sub/d.txt", "sub/d.txt"},
                  {"/out/sub/deeper/e.txt", "sub/deeper/e.txt"}};
  CHECK(tree.plan("*.txt", true).moves(tree.root()) == all);
}

TEST_CASE("what is not there or not a file is a failed item") {
  const source_tree tree;
  fs::create_symlink("a.txt", tree.root() / "link.txt");
  REQUIRE(mkfifo((tree.root() / "pipe.txt").c_str(), 0600) == 0);
  CHECK_THAT(tree.plan("none", false).failures().at(0), Contains("BFGIO0001E"));
  CHECK_THAT(tree.plan("none/*", false).failures().at(0), Contains("BFGIO0001E"));
  CHECK_THAT(tree.plan("a.txt/below", false).failures().at(0), Contains("BFGIO0001E"));
  CHECK_THAT(tree.plan("link.txt", false).failures().at(0), Contains("a symbolic link"));
  CHECK_THAT(tree.plan("pipe.txt", false).failures().at(0), Contains("a pipe"));
  const auto several = tree.plan("*.txt", false);
  CHECK(several.moves(tree.root()).size() == 2);
  CHECK(several.failures().size() == 2);
}

TEST_CASE("a link to a directory above is not followed") {
  const source_tree tree;
  fs::create_directory_symlink(tree.root(), tree.root() / "sub/loop");
  const auto made = tree.plan("sub", true);
  CHECK(made.moves(tree.root()).size() == 4);
  CHECK(made.failures().size() == 1);
}

TEST_CASE("several files cannot go to one") {
  const source_tree tree;
  const auto several = tree.plan("*.txt", false, destination_kind::file);
  REQUIRE(several.failure.has_value());
  CHECK(several.failure->result_code == 40);
  CHECK_THAT(several.failure->text, Contains("BFGTR0009E"));
  const auto directory = tree.plan("sub", true, destination_kind::file);
  REQUIRE(directory.failure.has_value());
  CHECK_THAT(directory.failure->text, Contains("BFGTR0010E"));
}

TEST_CASE("a plan with too many files fails") {
  const source_tree tree;
  planner_options options;
  options.files_max = 2;
  CHECK_FALSE(tree.plan("*.txt", false, destination_kind::directory, options).failure.has_value());
  const auto made = tree.plan("*", true, destination_kind::directory, options);
  REQUIRE(made.failure.has_value());
  CHECK(made.failure->result_code == 46);
}

TEST_CASE("a cancelled plan stops and says nothing of what it did not look at") {
  const source_tree tree;
  const std::atomic<bool> cancelled{true};
  planner_options options;
  options.cancelled = &cancelled;
  const auto made = tree.plan("*", true, destination_kind::directory, options);
  CHECK_FALSE(made.failure.has_value());
  CHECK(made.items.empty());
}

TEST_CASE("items know the specification that they came from") {
  const source_tree tree;
  formats::transfer_request request;
  for (const char* name : {"a.txt", "c.log"}) {
    auto& spec = request.specs.emplace_back();
    spec.source = (tree.root() / name).string();
    spec.destination = std::string("/out/") + name;
  }
  std::vector<plan_item> items;
  CHECK_FALSE(make_plan(request, {}, [&](plan_item item) { items.push_back(std::move(item)); }).has_value());
  REQUIRE(items.size() == 2);
  CHECK(items[1].spec == 1);
  CHECK(items[1].number == 1);
  CHECK(items[1].destination == "/out/c.log");
  CHECK(items[1].identity.size == 5);
}
