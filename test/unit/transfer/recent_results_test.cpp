#include "agent/transfer/recent_results.hpp"

#include <catch2/catch.hpp>

using namespace baton;
using transfer::recent_results;

namespace {

recent_results with(std::optional<std::uint64_t> from, std::uint64_t first, std::uint64_t end,
                    std::size_t count = 100) {
  recent_results made(from);
  for (auto number = first; number < end; ++number) made.add({number, 0, {}, {}}, count);
  return made;
}

}  // namespace

TEST_CASE("recent_results: what the source lacks is kept, what it has is not") {
  auto results = with(3, 3, 10);
  CHECK(results.asked_from(5));
  CHECK(results.numbers() == std::set<std::uint64_t>{5, 6, 7, 8, 9});
  CHECK(results.all().front().number == 5);
  CHECK(results.asked_from(5));
}

TEST_CASE("recent_results: a source that lost results that are not kept is told so once") {
  auto results = with(0, 0, 10, 4);
  CHECK(results.numbers() == std::set<std::uint64_t>{6, 7, 8, 9});
  CHECK_FALSE(results.asked_from(5));
  CHECK(results.numbers().size() == 4);  // those need not be received again
  CHECK(results.asked_from(5));
  CHECK_FALSE(results.asked_from(2));
}

TEST_CASE("recent_results: an activation that has none knows nothing") {
  recent_results results(std::nullopt);
  CHECK_FALSE(results.asked_from(7));
  CHECK(results.asked_from(7));
  CHECK(results.all().empty());
}
