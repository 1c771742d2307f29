#include "agent/state_copy.hpp"

#include <catch2/catch.hpp>

using namespace baton;
using agent::state_copy;

namespace {

std::string id_of(const std::string& name) {
  return name + std::string(48 - name.size(), '0');
}

formats::source_record source(const std::string& id, std::uint64_t sequence) {
  formats::source_record r;
  r.transfer_id = id_of(id);
  r.sequence = sequence;
  return r;
}

formats::source_record planned(const std::string& id, std::uint64_t sequence, std::uint64_t parts) {
  auto r = source(id, sequence);
  r.planned = true;
  r.plan_check = "2a";
  r.plan_parts = parts;
  return r;
}

std::vector<std::string> subjects(const state_copy& copy) {
  std::vector<std::string> all;
  for (const auto& m : copy.messages()) all.push_back(m.subject);
  return all;
}

}  // namespace

TEST_CASE("state copy: the newest record of a transfer, one above what is on the queue") {
  state_copy copy(true);
  copy.keep(source("a", 5));
  copy.keep(source("a", 3));
  const auto all = copy.messages();
  REQUIRE(all.size() == 1);
  CHECK(all[0].durable);
  const auto read = formats::read_source_record(all[0].body);
  REQUIRE(read.ok());
  CHECK(read->sequence == 6);
}

TEST_CASE("state copy: plans come in front of their record, and without all of its plan a transfer stays where it is") {
  state_copy copy(true);
  copy.keep(planned("a", 5, 2));
  copy.keep(formats::plan_part{id_of("a"), 0x2a, 0, 2, "first"});
  CHECK(subjects(copy).empty());
  CHECK_FALSE(copy.has_source(id_of("a")));
  copy.keep(formats::plan_part{id_of("a"), 0x2a, 1, 2, "second"});
  copy.keep(formats::plan_part{id_of("a"), 0x2a, 1, 2, "second"});
  CHECK(subjects(copy) == std::vector<std::string>{formats::subject::plan_part, formats::subject::plan_part,
                                                   formats::subject::source_record});
  CHECK(copy.has_source(id_of("a")));
  CHECK_FALSE(copy.has_destination(id_of("a")));
}

TEST_CASE("state copy: what has ended goes, but its end is told where an older record of it stands") {
  state_copy copy(true);
  copy.keep(source("here", 1));
  copy.forget_source(id_of("here"));
  CHECK(copy.messages().empty());
  copy.keep(source("there", 1));
  copy.left_behind();
  auto end = source("there", 9);
  end.result_code = 0;
  copy.keep(end);
  copy.forget_source(id_of("there"));
  CHECK(copy.empty());
  const auto all = copy.messages();
  REQUIRE(all.size() == 1);
  const auto read = formats::read_source_record(all[0].body);
  REQUIRE(read.ok());
  CHECK(read->result_code == 0);
  CHECK(read->sequence == 10);
  copy.clear();
  CHECK(copy.messages().empty());
}

TEST_CASE("state copy: plans are kept up to a limit of memory, and none is kept where there is one queue manager") {
  state_copy copy(true);
  const std::string large(8 << 20, 'x');
  for (std::uint32_t i = 0; i < 9; ++i) copy.keep(formats::plan_part{id_of("a"), 0x2a, i, 9, large});
  copy.keep(planned("a", 1, 9));
  CHECK(copy.messages().empty());
  copy.forget_source(id_of("a"));
  for (std::uint32_t i = 0; i < 8; ++i) copy.keep(formats::plan_part{id_of("b"), 0x2a, i, 8, large});
  copy.keep(planned("b", 1, 8));
  CHECK(copy.messages().size() == 9);
  state_copy none(false);
  none.keep(source("a", 1));
  CHECK(none.messages().empty());
}
