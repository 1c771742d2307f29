// Expected errors are values: what a function returns when a file, a peer or a person got something wrong.
// Exceptions stop at the adapters (Proton, SQLite, Boost) and at main.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace baton {

// What kind of error it was. docs/formats.md lists the words; every kind has one exit code (see exit_code below).
enum class errc {
  bad_usage,       // the words of a command are wrong
  bad_property,    // a properties file holds something that it must not
  bad_message,     // a message from a peer cannot be read
  not_found,       // an agent, queue, file or transfer that does not exist
  already_exists,  // something that exists and may not be replaced
  not_permitted,   // missing rights or credentials
  in_use,          // somebody else holds it: a lock, an exclusive queue, a port
  unreachable,     // no queue manager answers
  timed_out,       // no answer in time
  io,              // the operating system refused a file operation
  no_space,        // a file system or a bounded queue is full
  conflict,        // it exists with other attributes
  internal,        // a broken invariant that does not have to end the process
};

// The word for an error kind, as it is printed and sent in replies.
std::string_view to_string(errc code);

// The exit code of a command that ends with this error: 1, or 2 for timed_out (reference section 3.7).
int exit_code(errc code);

// One error: its kind, and a text that says what happened, to which object, and what to do.
struct error {
  errc code = errc::internal;
  std::string text;
};

// A value or an error. Reading the value of an error (or the reverse) is a bug and throws std::logic_error.
template <class T>
class [[nodiscard]] result {
 public:
  result(T value) : state_(std::in_place_index<0>, std::move(value)) {}                 // NOLINT: meant to convert
  result(baton::error failure) : state_(std::in_place_index<1>, std::move(failure)) {}  // NOLINT

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return *get(); }
  const T& value() const& { return *const_cast<result*>(this)->get(); }
  T&& value() && { return std::move(*get()); }
  T& operator*() & { return *get(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return get(); }
  const T* operator->() const { return &value(); }

  const baton::error& error() const {
    if (ok()) throw std::logic_error("result: no error to read");
    return *std::get_if<1>(&state_);
  }

 private:
  T* get() {
    if (!ok()) throw std::logic_error("result: value of an error read: " + std::get_if<1>(&state_)->text);
    return std::get_if<0>(&state_);
  }
  std::variant<T, baton::error> state_;
};

// The result of something that has no value: done() or an error.
using status = result<std::monostate>;
inline status done() {
  return std::monostate{};
}

}  // namespace baton
