#include "agent/transfer/checksum.hpp"

#include "common/text.hpp"
#include "test/unit/seed.hpp"

using namespace baton;
using baton::formats::checksum_kind;
using baton::transfer::checksum;

namespace {

std::string hex_of(checksum_kind kind, std::string_view text) {
  checksum sum(kind);
  sum.update(text);
  return to_hex(sum.digest());
}

}  // namespace

TEST_CASE("checksums are the known ones") {
  CHECK(hex_of(checksum_kind::md5, "abc") == "900150983cd24fb0d6963f7d28e17f72");
  CHECK(hex_of(checksum_kind::md5, "") == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(hex_of(checksum_kind::sha256, "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex_of(checksum_kind::xxh3, "") == "99aa06d3014798d86001c324468d497f");
  CHECK(hex_of(checksum_kind::none, "abc").empty());
}

TEST_CASE("a checksum does not depend on how its bytes are cut") {
  BATON_SEEDED(random);
  for (const auto kind : {checksum_kind::md5, checksum_kind::sha256, checksum_kind::xxh3}) {
    const std::string bytes = test::random_bytes(random, 5000);
    checksum pieces(kind);
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t size = test::below(random, 700);
      pieces.update(std::string_view(bytes).substr(at, size));
      at += size;
    }
    CHECK(to_hex(pieces.digest()) == hex_of(kind, bytes));
  }
}

TEST_CASE("a checksum may be moved while it is computed") {
  checksum first(checksum_kind::sha256);
  first.update("a");
  checksum second(std::move(first));
  second.update("b");
  first = checksum(checksum_kind::none);
  first = std::move(second);
  first.update("c");
  CHECK(to_hex(first.digest()) == hex_of(checksum_kind::sha256, "abc"));
}
