#include "agent/queue/intake.hpp"

#include <catch2/catch.hpp>

using namespace baton::queue;

namespace {

using verdict = intake::verdict;

std::string list_of(const std::string& bodies) {
  std::string list;
  for (const char body : bodies) list += identity_of("", std::string(1, body));
  return list;
}

// What becomes of each of these messages: t take, l last, f full, a alien.
std::string offered(intake& to, const std::string& bodies) {
  std::string out;
  for (const char body : bodies)
    out += "tlfa"[static_cast<int>(to.on_message(identity_of("", std::string(1, body)), 1))];
  return out;
}

}  // namespace

TEST_CASE("messages are taken in their order until a limit") {
  intake all({3, 100, 10});
  CHECK(offered(all, "ab") == "tt");
  CHECK(all.room() == 1);
  CHECK(offered(all, "c") == "l");
  CHECK(all.identities() == list_of("abc"));
  CHECK(all.count() == 3);
}

TEST_CASE("bytes are a limit too, but one message is always taken") {
  intake large({10, 100, 1000});
  CHECK(large.on_message("0123456789abcdef", 500) == verdict::last);
  intake some({10, 100, 1000});
  CHECK(some.on_message("0123456789abcdef", 60) == verdict::take);
  CHECK(some.on_message("0123456789abcdef", 60) == verdict::full);
  CHECK(some.count() == 1);
  CHECK(some.too_large(1001));
  CHECK_FALSE(some.too_large(1000));
}

TEST_CASE("messages that come again are recognised in their order") {
  intake known({10, 100, 10}, list_of("abcd"));
  CHECK(known.count() == 4);
  CHECK(known.held() == 0);
  CHECK(offered(known, "abcd") == "tttl");
  CHECK(known.held() == 4);
  CHECK(known.identities() == list_of("abcd"));
}

TEST_CASE("those at the front may be gone, and others in between are not taken") {
  intake known({10, 100, 10}, list_of("abcd"));
  CHECK(offered(known, "xcyd") == "atal");
  CHECK(known.held() == 2);
}

TEST_CASE("behind the first that comes again there are no gaps") {
  intake known({10, 100, 10}, list_of("abcd"));
  CHECK(offered(known, "ad") == "ta");
  CHECK(offered(known, "b") == "t");
}

TEST_CASE("equal messages are told apart by their number") {
  intake known({10, 100, 10}, list_of("aab"));
  CHECK(offered(known, "aab") == "ttl");
  intake fewer({10, 100, 10}, list_of("ab"));
  CHECK(offered(fewer, "aab") == "tal");
}

TEST_CASE("messages of a group are recognised in any order, with their places") {
  intake known({10, 100, 10}, list_of("abca"), intake::order::any);
  CHECK(offered(known, "xc") == "at");
  CHECK(known.place() == 2);
  CHECK(offered(known, "a") == "t");
  CHECK(known.place() == 0);
  CHECK(offered(known, "cba") == "atl");
  CHECK(known.place() == 3);
  CHECK(known.held() == 4);
}

TEST_CASE("the id and the bytes make the identity") {
  CHECK(identity_of("1", "a") != identity_of("2", "a"));
  CHECK(identity_of("1", "a") != identity_of("1", "b"));
  CHECK(identity_of("1", "a") == identity_of("1", "a"));
  CHECK(identity_of("", "a").size() == intake::identity_bytes);
}
