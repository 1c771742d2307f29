#include "qmgr/store.hpp"

#include <sqlite3.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>

using namespace baton;
using namespace baton::qmgr;

namespace {

struct directory {
  directory() {
    char pattern[] = "/tmp/baton-store-XXXXXX";
    path = mkdtemp(pattern);
  }
  ~directory() { std::filesystem::remove_all(path); }
  std::filesystem::path file() const { return path / "store.db"; }
  std::filesystem::path path;
};

stored_message message(std::uint64_t sequence, std::uint64_t queue, const std::string& text) {
  auto body = std::make_shared<payload>(text.size());
  std::memcpy(body->data(), text.data(), text.size());
  stored_message made;
  made.sequence = sequence;
  made.queue = queue;
  made.head.priority = 7;
  made.head.ttl_ms = 5;
  made.expires_ms = 99;
  made.arrived_ms = 42;
  made.body_offset = 1;
  made.size = text.size();
  made.body = body;
  return made;
}

struct content {
  std::map<std::string, queue_attributes> queues;
  std::map<std::uint64_t, stored_message> messages;
};

content load(store& from) {
  content read;
  REQUIRE(from.load([&](auto, const std::string& name, const queue_attributes& a) { read.queues[name] = a; },
                    [&](const stored_message& one) { read.messages[one.sequence] = one; })
              .ok());
  return read;
}

}  // namespace

TEST_CASE("what was committed is there after a reopen", "[qmgr]") {
  const directory home;
  const queue_attributes attributes{queue_type::single_active, 10, 1000, overflow_policy::drop_oldest, "DEAD"};
  std::uint64_t id = 0;
  {
    auto opened = store::open(home.file());
    REQUIRE(opened.ok());
    id = (*opened)->add_queue("Q", attributes).value();
    store_changes changes;
    changes.added = {message(1, id, "one"), message(2, id, "two"), message(3, id, "three")};
    REQUIRE((*opened)->commit(changes).ok());
    store_changes later;
    later.removed = {2};
    later.moved = {{3, id + 1}};
    REQUIRE((*opened)->commit(later).ok());
  }
  auto opened = store::open(home.file());
  REQUIRE(opened.ok());
  const content read = load(**opened);
  CHECK(read.queues.at("Q") == attributes);
  REQUIRE(read.messages.size() == 2);
  const stored_message& first = read.messages.at(1);
  CHECK(first.head.priority == 7);
  CHECK(first.expires_ms == 99);
  CHECK(first.arrived_ms == 42);
  CHECK(first.body_offset == 1);
  CHECK(first.body == nullptr);
  CHECK((*opened)->read_body(1).value()->view() == "one");
  CHECK(read.messages.at(3).queue == id + 1);
  CHECK(read.messages.at(3).expires_ms == 0);
  CHECK_FALSE((*opened)->read_body(2).ok());
}

TEST_CASE("a queue's end takes its messages along", "[qmgr]") {
  const directory home;
  auto opened = store::open(home.file());
  REQUIRE(opened.ok());
  const auto id = (*opened)->add_queue("Q", {}).value();
  store_changes changes;
  changes.added = {message(1, id, "one"), message(2, id + 5, "other")};
  REQUIRE((*opened)->commit(changes).ok());
  REQUIRE((*opened)->delete_queue(id).ok());
  const content read = load(**opened);
  CHECK(read.queues.empty());
  CHECK(read.messages.size() == 1);
}

TEST_CASE("a commit is all or nothing", "[qmgr]") {
  const directory home;
  auto opened = store::open(home.file());
  REQUIRE(opened.ok());
  store_changes changes;
  changes.added = {message(1, 1, "one"), message(1, 1, "the same number again")};
  CHECK_FALSE((*opened)->commit(changes).ok());
  CHECK(load(**opened).messages.empty());
  changes.added.pop_back();
  CHECK((*opened)->commit(changes).ok());
  CHECK(load(**opened).messages.size() == 1);
}

TEST_CASE("a damaged or newer store is refused and left alone", "[qmgr]") {
  const directory home;
  const std::string noise(100000, 'z');
  std::ofstream(home.file()) << noise;
  const auto opened = store::open(home.file());
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().text.find("is damaged") != std::string::npos);
  std::ifstream again(home.file());
  CHECK(std::string(std::istreambuf_iterator<char>(again), {}) == noise);

  const std::filesystem::path newer = home.path / "newer.db";
  sqlite3* raw = nullptr;
  REQUIRE(sqlite3_open(newer.c_str(), &raw) == SQLITE_OK);
  REQUIRE(sqlite3_exec(raw, "PRAGMA user_version = 99", nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(raw);
  const auto refused = store::open(newer);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().text.find("newer") != std::string::npos);
}
