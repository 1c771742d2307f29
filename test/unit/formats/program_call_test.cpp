#include "common/formats/program_call.hpp"

#include <catch2/catch.hpp>

using namespace baton;
using formats::parse_program_call;

TEST_CASE("program_call: what the field writes") {
  const auto plain = parse_program_call("mycommand(a,b)");
  REQUIRE(plain.ok());
  CHECK(plain->command == "mycommand");
  CHECK(plain->arguments == std::vector<std::string>{"a", "b"});
  CHECK(plain->retry_count == 0);
  CHECK(plain->success == "0");

  const auto retried = parse_program_call("executable:simple,1,5");
  REQUIRE(retried.ok());
  CHECK(retried->command == "simple");
  CHECK(retried->arguments.empty());
  CHECK(retried->retry_count == 1);
  CHECK(retried->retry_wait_s == 5);

  const auto judged = parse_program_call("/opt/check(),,,>2&<7&!5|0|14");
  REQUIRE(judged.ok());
  CHECK(judged->arguments.empty());
  CHECK(judged->retry_count == 0);
  CHECK(judged->success == ">2&<7&!5|0|14");
}

TEST_CASE("program_call: a backslash takes its meaning from what is behind it") {
  const auto call = parse_program_call(R"(a\(1\)\,b(recfm\(F\,B\),x\\y,c:\dir,),3)");
  REQUIRE(call.ok());
  CHECK(call->command == "a(1),b");
  CHECK(call->arguments == std::vector<std::string>{"recfm(F,B)", R"(x\y)", R"(c:\dir)", ""});
  CHECK(call->retry_count == 3);
}

TEST_CASE("program_call: what is wrong is said") {
  const auto fault = [](const char* words) {
    const auto call = parse_program_call(words);
    return call ? std::string("none") : call.error().text;
  };
  CHECK_THAT(fault(""), Catch::Contains("no program"));
  CHECK_THAT(fault("(a)"), Catch::Contains("no program"));
  CHECK_THAT(fault("a(b"), Catch::Contains(") is missing"));
  CHECK_THAT(fault("a(b)c"), Catch::Contains("\"c\""));
  CHECK_THAT(fault("a,x"), Catch::Contains("\"x\""));
  CHECK_THAT(fault("a,-1"), Catch::Contains("\"-1\""));
  CHECK_THAT(fault("a,1,99999999999"), Catch::Contains("99999999999"));
  CHECK_THAT(fault("a,,,0|x"), Catch::Contains("\"x\""));
  CHECK_THAT(fault("antscript:build"), Catch::Contains("ANTSCRIPT"));
  CHECK_THAT(fault("jcl:a"), Catch::Contains("JCL"));
}

TEST_CASE("program_call: exit codes that are a success") {
  for (int code = 0; code < 20; ++code) {
    const bool wanted = code == 0 || code == 3 || code == 4 || code == 6 || code == 14;
    const auto found = formats::is_success(">2&<7&!5|0|14", code);
    REQUIRE(found.ok());
    CHECK(*found == wanted);
  }
  CHECK(*formats::is_success("!0", 1));
  CHECK_FALSE(formats::is_success("", 0).ok());
  CHECK_FALSE(formats::is_success("1|", 0).ok());
  CHECK_FALSE(formats::is_success("=1", 0).ok());
}
