#include "common/result.hpp"

namespace baton {

std::string_view to_string(errc code) {
  switch (code) {
    case errc::bad_usage:
      return "bad-usage";
    case errc::bad_property:
      return "bad-property";
    case errc::bad_message:
      return "bad-message";
    case errc::not_found:
      return "not-found";
    case errc::already_exists:
      return "already-exists";
    case errc::not_permitted:
      return "not-permitted";
    case errc::in_use:
      return "in-use";
    case errc::unreachable:
      return "unreachable";
    case errc::timed_out:
      return "timed-out";
    case errc::io:
      return "io";
    case errc::no_space:
      return "no-space";
    case errc::conflict:
      return "conflict";
    case errc::internal:
      return "internal";
  }
  return "internal";
}

int exit_code(errc code) {
  return code == errc::timed_out ? 2 : 1;
}

}  // namespace baton
