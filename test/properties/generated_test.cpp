// What is generated from the tables and committed must equal what the tables say now.
#include <catch2/catch.hpp>

#include "properties/atomic_file.hpp"
#include "properties/write.hpp"

using namespace baton;

namespace {

const std::filesystem::path source_directory = BATON_SOURCE_DIR;

std::string content(const std::filesystem::path& file) {
  const auto read = read_small_file(source_directory / file);
  return read ? *read : read.error().text;
}

}  // namespace

TEST_CASE("generated: docs/properties.md is what the tables say (fte --generate properties-md)") {
  CHECK(content("docs/properties.md") == properties_markdown());
}

TEST_CASE("generated: the samples are what the tables say (fte --generate samples properties/samples)") {
  for (const property_table* table : all_property_tables()) {
    INFO(table->file);
    CHECK(content("properties/samples/" + std::string(table->file)) == sample_text(*table));
  }
}
