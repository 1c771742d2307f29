#include "agent/transfer/running_checksum.hpp"

#include <cerrno>

#include "test/unit/seed.hpp"
#include "test/unit/transfer/moved_tree.hpp"

using namespace baton;
using namespace baton::test;

namespace {

struct opened {
  explicit opened(const std::string& content) {
    write_file(where.path() / "file", content);
    struct stat about {};
    REQUIRE(open_to_read((where.path() / "file").string(), file, about) == 0);
  }
  temporary_directory where;
  descriptor file;
};

std::string plain(formats::checksum_kind kind, const std::string& content) {
  checksum sum(kind);
  sum.update(content);
  return sum.digest();
}

}  // namespace

TEST_CASE("a checksum that starts in the middle is that of the whole") {
  BATON_SEEDED(random);
  for (const auto kind : {formats::checksum_kind::md5, formats::checksum_kind::sha256, formats::checksum_kind::xxh3}) {
    const std::string content = random_bytes(random, 50000);
    const opened at(content);
    for (const std::size_t start : {0U, 1U, 5000U, 49999U, 50000U}) {
      running_checksum sum(kind);
      for (std::size_t offset = start; offset < content.size(); offset += 700) {
        REQUIRE(sum.add(at.file, offset, std::string_view(content).substr(offset, 700)) == 0);
      }
      REQUIRE(sum.catch_up(at.file, content.size()) == 0);
      INFO("from " << start);
      CHECK(sum.digest() == plain(kind, content));
    }
  }
}

TEST_CASE("each piece that moves hashes a bounded part of the backlog") {
  const std::string content(100000, 'x');
  const opened at(content);
  running_checksum sum(formats::checksum_kind::xxh3);
  REQUIRE(sum.add(at.file, 90000, std::string_view(content).substr(0, 100)) == 0);
  CHECK(sum.position() == 100 * catch_up_factor);
  REQUIRE(sum.add(at.file, 90100, std::string_view(content).substr(0, 9900)) == 0);
  CHECK(sum.position() == 100 * catch_up_factor + 9900 * catch_up_factor);
}

TEST_CASE("a file that is shorter than it was is an error and not a checksum") {
  const opened at("short");
  running_checksum sum(formats::checksum_kind::xxh3);
  CHECK(sum.catch_up(at.file, 6) == EIO);
}

TEST_CASE("without a method nothing is read") {
  const opened at("");
  running_checksum sum(formats::checksum_kind::none);
  CHECK(sum.add(at.file, 1000, "bytes") == 0);
  CHECK(sum.catch_up(at.file, 2000) == 0);
  CHECK(sum.digest().empty());
}
