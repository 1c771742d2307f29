#include "common/log.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <regex>

#include "test/properties/temporary.hpp"

using namespace baton;
namespace fs = std::filesystem;

namespace {

constexpr logger component{"Test"};

// Opens the log of this process in a directory of its own; closed again afterwards.
class open_directory {
 public:
  explicit open_directory(std::size_t files_max = 5, std::size_t file_bytes_max = 1 << 20) {
    log_options options;
    options.directory = where_.path() / "logs";
    options.files_max = files_max;
    options.file_bytes_max = file_bytes_max;
    REQUIRE(open_log(options).ok());
  }
  ~open_directory() { (void)open_log({}); }

  std::vector<std::string> lines(int index) const {
    std::ifstream in(path(index));
    std::vector<std::string> found;
    for (std::string line; std::getline(in, line);) found.push_back(line);
    return found;
  }
  fs::path path(int index) const { return where_.path() / "logs" / ("output" + std::to_string(index) + ".log"); }
  std::ptrdiff_t files() const {
    return std::distance(fs::directory_iterator(where_.path() / "logs"), fs::directory_iterator());
  }

 private:
  test::temporary_directory where_;
};

}  // namespace

TEST_CASE("a log line has the form of the field") {
  const open_directory log;
  component(messages::BFGAG0059I, "SRC");
  log_line("AVeryLongComponentName", 'W', "text");
  const auto lines = log.lines(0);
  REQUIRE(lines.size() == 2);
  const std::regex form(R"(\[\d\d/\d\d/\d{4} \d\d:\d\d:\d\d:\d{3} [^\]]+\] [0-9A-F]{8} (.{13}) ([IWE])   (.*))");
  std::smatch parts;
  REQUIRE(std::regex_match(lines[0], parts, form));
  CHECK(parts[1] == "Test         ");
  CHECK(parts[2] == "I");
  CHECK(parts[3] == "BFGAG0059I: The agent SRC has been successfully started.");
  REQUIRE(std::regex_match(lines[1], parts, form));
  CHECK(parts[1] == "AVeryLongComp");
  CHECK(parts[2] == "W");
}

TEST_CASE("an insert with line ends cannot forge a log line") {
  const open_directory log;
  component(messages::BFGIO0001E, "a\n[22/11/2026] forged\r\x1B[2J");
  const auto lines = log.lines(0);
  REQUIRE(lines.size() == 1);
  CHECK_THAT(lines[0], Catch::Contains("a\\n[22/11/2026] forged\\r\\x1b[2J"));
}

TEST_CASE("braces in a logged text are left alone") {
  const open_directory log;
  log_line("Test", 'I', "{} {0} %v");
  REQUIRE(log.lines(0).size() == 1);
  CHECK_THAT(log.lines(0)[0], Catch::EndsWith("{} {0} %v"));
}

TEST_CASE("a log that was cut in the middle of a line goes on with a line of its own") {
  const test::temporary_directory where;
  log_options options;
  options.directory = where.path();
  std::ofstream(where.path() / "output0.log") << "whole\nhalf a li";
  REQUIRE(open_log(options).ok());
  log_line("Test", 'I', "next");
  (void)open_log({});
  std::ifstream in(where.path() / "output0.log");
  std::string first, second, third;
  std::getline(in, first), std::getline(in, second), std::getline(in, third);
  CHECK(first == "whole");
  CHECK(second == "half a li");
  CHECK_THAT(third, Catch::EndsWith("next"));
}

// The limit on a file's size fails a write as a full disk does: after a part of it.
TEST_CASE("a log that had no room goes on when there is some") {
  const open_directory log;
  log_line("Test", 'I', "before");
  rlimit whole{};
  getrlimit(RLIMIT_FSIZE, &whole);
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit full{fs::file_size(log.path(0)) + 10, whole.rlim_max};
  setrlimit(RLIMIT_FSIZE, &full);
  for (int i = 0; i < 3; ++i) log_line("Test", 'I', "lost");
  setrlimit(RLIMIT_FSIZE, &whole);
  std::signal(SIGXFSZ, before);
  log_line("Test", 'I', "after");
  const auto lines = log.lines(0);
  REQUIRE(lines.size() == 3);
  CHECK_THAT(lines[0], Catch::EndsWith("before"));
  CHECK(lines[1].size() == 10);
  CHECK_THAT(lines[2], Catch::EndsWith("after"));
}

TEST_CASE("full logs are shifted and the number and size of files stay bounded") {
  constexpr std::size_t bytes_max = 2000;
  const open_directory log(3, bytes_max);
  for (int i = 0; i < 200; ++i) log_line("Test", 'I', "line " + std::to_string(i));
  CHECK(log.files() == 3);
  for (int i = 0; i < 3; ++i) CHECK(fs::file_size(log.path(i)) <= bytes_max);
  CHECK_THAT(log.lines(0).back(), Catch::EndsWith("line 199"));
  std::vector<std::string> all;
  for (int i = 2; i >= 0; --i) {
    for (auto& line : log.lines(i)) all.push_back(line.substr(line.rfind(' ') + 1));
  }
  for (std::size_t i = 0; i < all.size(); ++i) CHECK(all[i] == std::to_string(200 - all.size() + i));
}

TEST_CASE("a log of one file starts anew when it is full") {
  const open_directory log(1, 500);
  for (int i = 0; i < 50; ++i) log_line("Test", 'I', "line " + std::to_string(i));
  CHECK(log.files() == 1);
  CHECK(fs::file_size(log.path(0)) <= 500);
  CHECK_THAT(log.lines(0).back(), Catch::EndsWith("line 49"));
}

TEST_CASE("a line longer than a log file is written whole") {
  const open_directory log(2, 100);
  log_line("Test", 'I', std::string(1000, 'x'));
  log_line("Test", 'I', "after");
  CHECK(log.lines(1).at(0).size() > 1000);
  CHECK_THAT(log.lines(0).at(0), Catch::EndsWith("after"));
}

TEST_CASE("an opened log goes on behind what is there") {
  const test::temporary_directory where;
  log_options options;
  options.directory = where.path();
  options.file_bytes_max = 150;
  REQUIRE(open_log(options).ok());
  log_line("Test", 'I', "first");
  REQUIRE(open_log(options).ok());
  log_line("Test", 'I', "second, which does not fit behind the first one any more");
  (void)open_log({});
  CHECK(fs::exists(where.path() / "output1.log"));
}

TEST_CASE("a log that cannot be made is an error") {
  const test::temporary_directory where;
  std::ofstream(where.path() / "file") << "in the way";
  log_options options;
  options.directory = where.path() / "file" / "logs";
  const auto opened = open_log(options);
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().code == errc::io);
  CHECK_THAT(opened.error().text, Catch::Contains("logs/output0.log"));
}

TEST_CASE("the environment block names version and command line") {
  const open_directory log;
  const char* const words[] = {"baton-agent", "-p", "COORD"};
  log_environment("Test", 3, words);
  const auto lines = log.lines(0);
  REQUIRE(lines.size() == 7);
  CHECK_THAT(lines[1], Catch::Contains("Baton version: "));
  CHECK_THAT(lines[5], Catch::EndsWith("Command line: baton-agent -p COORD"));
}
