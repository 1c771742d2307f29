#include "commands/arguments.hpp"

#include <catch2/catch.hpp>
#include <random>

#include "commands/registry.hpp"

using namespace baton;
using namespace baton::commands;

namespace {

constexpr option options[] = {
    {"sa", "source-agent", option_kind::text, "agent", "Source.", true},
    {"md", "metadata", option_kind::text, "pairs", "Metadata.", false, true},
    {"pr", "priority", option_kind::number, "priority", "Priority.", false, false, false, 0, 9},
    {"de", "exists", option_kind::choice, "action", "Action.", false, false, false, 0, 0, "error|overwrite"},
    {"w", "wait", option_kind::number, "seconds", "Wait.", false, false, true, -1, 100},
    {"r", "recursive", option_kind::flag, "", "Recursive."},
    {"", "json", option_kind::flag, "", "JSON."},
};
constexpr std::string_view not_yet[] = {"tr"};
const command declared{"fteTest", "Test.", options, {"source", "Sources.", 0, 2}, not_yet, "", "", nullptr};

result<arguments> parse(const std::vector<std::string>& words) {
  return arguments::parse(declared, words);
}

std::string failure(const std::vector<std::string>& words) {
  const auto parsed = parse(words);
  REQUIRE_FALSE(parsed.ok());
  CHECK(parsed.error().code == errc::bad_usage);
  return parsed.error().text;
}

}  // namespace

TEST_CASE("arguments: short and long forms, with the value behind or after '='") {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{{"-sa", "A"},
                                                                                     {"--sa", "A"},
                                                                                     {"-source-agent", "A"},
                                                                                     {"--source-agent", "A"},
                                                                                     {"-sa=A"},
                                                                                     {"--source-agent=A"}}) {
    const auto parsed = parse(words);
    REQUIRE(parsed.ok());
    CHECK(parsed->text("sa") == "A");
    CHECK_FALSE(parsed->has("r"));
  }
}

TEST_CASE("arguments: an optional value is taken only when it is a number") {
  CHECK(parse({"-sa", "A", "-w"})->number("w", 7) == 7);
  CHECK(parse({"-sa", "A", "-w"})->has("w"));
  CHECK(parse({"-sa", "A", "-w", "30"})->number("w", 7) == 30);
  CHECK(parse({"-sa", "A", "-w", "-1"})->number("w", 7) == -1);
  const auto with_file = parse({"-sa", "A", "-w", "file"});
  CHECK(with_file->number("w", 7) == 7);
  CHECK(with_file->operands() == std::vector<std::string>{"file"});
  CHECK(failure({"-sa", "A", "-w", "101"}).find("-1 to 100") != std::string::npos);
}

TEST_CASE("arguments: values and operands may look like options when it is said so") {
  CHECK(parse({"-sa=-r"})->text("sa") == "-r");
  CHECK(parse({"-sa", "-notanoption"})->text("sa") == "-notanoption");
  CHECK(parse({"-sa", "A", "--", "-r", "--json"})->operands() == std::vector<std::string>{"-r", "--json"});
  CHECK(parse({"-sa=a=b c"})->text("sa") == "a=b c");
  CHECK(failure({"-sa", "-r"}).find("needs a value") != std::string::npos);
}

TEST_CASE("arguments: repeatable options keep every value, others are refused") {
  CHECK(parse({"-sa", "A", "-md", "a=1", "-md", "b=2"})->texts("md") == std::vector<std::string>{"a=1", "b=2"});
  CHECK(failure({"-sa", "A", "-sa", "B"}).find("more than once") != std::string::npos);
}

TEST_CASE("arguments: what is wrong is said, with the nearest option") {
  CHECK(failure({}) == "missing option: -sa");
  CHECK(failure({"-sa", "A", "--sorce-agent", "B"}) == "unknown option --sorce-agent. Did you mean --source-agent?");
  CHECK(failure({"-zzzzzzz"}) == "unknown option -zzzzzzz");
  CHECK(failure({"-sa", "A", "-tr", "x"}) == "the option -tr of IBM MFT is not supported yet");
  CHECK(failure({"-sa", "A", "-trace", "x"}) == "the option -trace of IBM MFT is not supported yet");
  CHECK(failure({"-sa", "A", "-pr", "10"}) == "the option -pr needs a number, 0 to 9, and not \"10\"");
  CHECK(failure({"-sa", "A", "-pr", "x"}).find("needs a number") != std::string::npos);
  CHECK(failure({"-sa", "A", "-de", "maybe"}) == "the option -de needs one of error, overwrite, and not \"maybe\"");
  CHECK(failure({"-sa", "A", "-r=1"}) == "the option -r takes no value");
  CHECK(failure({"-sa"}) == "the option -sa needs a value: agent");
  CHECK(failure({"-sa", ""}) == "the value of -sa is empty");
  CHECK(failure({"-sa", "A", "1", "2", "3"}) == "unexpected word \"3\"");
  CHECK(failure({"-sa", "A", ""}) == "empty: source");
}

TEST_CASE("arguments: help is wanted whatever else is said") {
  for (const char* word : {"-h", "-?", "--help"}) CHECK(parse({"1", word, "-nonsense"})->help_wanted());
}

TEST_CASE("arguments: random words never break the parser") {
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  constexpr const char* pieces[] = {"-", "--",     "=",  "-sa",  "A",   "-w", "-1",
                                    "",  "--json", "\n", "\xFF", "-md", "x=", "?"};
  for (int round = 0; round < 5000; ++round) {
    std::vector<std::string> words(random() % 6);
    for (auto& word : words) {
      for (auto i = random() % 3; i > 0; --i) word += pieces[random() % std::size(pieces)];
    }
    for (const command* c : all_commands()) (void)arguments::parse(*c, words).ok();
  }
}
