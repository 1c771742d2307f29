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

TEST_CASE("progress: what is known of pace is shown, and nothing else") {
  auto now = at(1024, 1000);
  CHECK(progress_line(now) == "Transfer: 1 of 4 files, 1.0 KiB of 4.0 KiB");
  now.rate = 1024;
  now.time_left_ms = 3000;
  now.channel = "direct";
  now.retries = 2;
  now.wasted_bytes = 2048;
  now.state = "RunningTransfer";
  CHECK(progress_line(now) ==
        "RunningTransfer: 1 of 4 files, 1.0 KiB of 4.0 KiB, 1.0 KiB/s, 3.0 s left, direct, 2 recoveries, 2.0 KiB sent "
        "in vain");
  CHECK(pace_text({0, 3000, "", 1, 0}) == ", 1 recovery");
}

TEST_CASE("progress: odd numbers do no harm") {
  auto odd = at(99999, 0);
  odd.rate = 1;
  CHECK(progress_bar(odd, 200).find("100 %") != std::string::npos);
  CHECK(progress_bar(formats::progress{}, 200).find("0 %") != std::string::npos);
  CHECK(progress_bar(odd, 10).size() == 9);
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
