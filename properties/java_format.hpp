// The lexical part of Java's properties format, with ${ENVIRONMENT} in values. Knows nothing of tables. Pure, except
// that it looks at the environment; any bytes are safe to read.
//
//   # comment       ! comment
//   name=value      name: value      name value
//   long=first \    (a backslash at the end continues the line; blanks at the start of the next one are dropped)
//   escapes:        \t \n \r \f \\ \= \: \# \! \<blank>  \uXXXX (with surrogate pairs)
//   ${HOME}/files   environment; "\$" stands for a dollar sign where "${" is meant
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace baton {

struct java_property {
  int line = 0;  // where it starts, from 1
  std::string name, value;
};

struct java_problem {
  int line = 0;
  std::string name;  // empty when it is not about one property
  std::string text;
};

struct java_file {
  std::vector<java_property> properties;  // in the order of the file, repeated ones too
  std::vector<java_problem> problems;     // such a property is not in the list
};

using environment = std::function<std::optional<std::string>(const std::string&)>;
std::optional<std::string> process_environment(const std::string& name);

java_file parse_java_properties(std::string_view content, const environment& variables = process_environment);

// A value with its escapes, so that reading it gives the same text.
std::string escape_java_value(std::string_view value);

}  // namespace baton
