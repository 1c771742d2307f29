#include "commands/progress_view.hpp"

#include <catch2/catch.hpp>

#include "commands/json_output.hpp"
#include "commands/table.hpp"

using namespace baton;
using namespace baton::commands;

namespace {

formats::progress at(std::uint64_t bytes, std::int64_t elapsed_ms) {
  formats::progress p;
  p.items_total = 4;
  p.items = 1;
  p.bytes = bytes;
  p.bytes_total = 4096;
  p.elapsed_ms = elapsed_ms;
  return p;
}

}  // namespace

TEST_CASE("progress: rate and time left come from what was seen") {
  progress_rate rate;
  rate.add(at(0, 0));
  CHECK(rate.left_ms(at(0, 0)) == -1);
  rate.add(at(1024, 1000));
  CHECK(rate.bytes_per_second() == 1024);
  CHECK(rate.left_ms(at(1024, 1000)) == 3000);
  CHECK(progress_line(at(1024, 1000), rate) == "Transfer: 1 of 4 files, 1.0 KiB of 4.0 KiB, 1.0 KiB/s, 3.0 s left");
}

TEST_CASE("progress: odd numbers do no harm") {
  progress_rate rate;
  rate.add(at(100, 5));
  rate.add(at(50, 5));
  rate.add(at(50, 4));
  auto odd = at(99999, 0);
  CHECK(rate.left_ms(odd) == -1);
  CHECK(progress_bar(odd, rate, 200).find("100 %") != std::string::npos);
  CHECK(progress_bar(formats::progress{}, rate, 200).find("0 %") != std::string::npos);
  CHECK(progress_bar(odd, rate, 10).size() == 9);
}

TEST_CASE("tables: columns fit their widest cell and control characters are escaped") {
  text_table table({"A", "B"});
  table.add({"long cell", "x\ny"});
  table.add({"\xC3\xA9", "z"});
  CHECK(table.rendered() == "A          B\nlong cell  x\\ny\n\xC3\xA9          z");
}

TEST_CASE("texts: ages") {
  CHECK(age_text(0) == "0:00:00");
  CHECK(age_text(3723000) == "1:02:03");
  CHECK(age_text(-5) == "0:00:00");
  CHECK(time_text(0).empty());
}
