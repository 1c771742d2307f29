// How commands speak: results on standard output, what went wrong on standard error, each with its message id. Inserts
// may come from anywhere, so control characters in them are escaped: one message is one line.
#pragma once

#include <string>
#include <string_view>

#include "common/messages/message.hpp"
#include "common/result.hpp"

namespace baton::commands {

void print_line(std::string_view text);         // standard output, as it is
void print_message(const std::string& text);    // standard output, escaped
void print_complaint(const std::string& text);  // standard error, escaped

template <class... Inserts>
void say(const message& m, const Inserts&... inserts) {
  print_message(render(m, inserts...));
}
template <class... Inserts>
void complain(const message& m, const Inserts&... inserts) {
  print_complaint(render(m, inserts...));
}

// Says what went wrong, by its kind, and gives the exit code.
int fail(const error& failure);

}  // namespace baton::commands
