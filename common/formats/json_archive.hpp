// Writes and reads a structure from one list of its members: `void describe(Archive& a, T& t) { a("key", t.member); }`.
// Included by the .cpp files of this folder only.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/result.hpp"
#include "common/text.hpp"

namespace baton::formats {

// The words of an enumeration, in the order of its values.
template <class E>
struct words;  // specialise: static constexpr const char* list[] = {...};

template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};
template <class T>
struct is_map : std::false_type {};
template <class V>
struct is_map<std::map<std::string, V>> : std::true_type {};

class json_writer {
 public:
  template <class T>
  void operator()(const char* key, T& member) {
    out_[key] = to_value(member);
  }
  // A text without which the record is nothing.
  void identity(const char* key, std::string& member) { (*this)(key, member); }
  // A file name of any bytes.
  void name(const char* key, std::string& member) { out_[key] = name_to_text(member); }
  void names(const char* key, std::vector<std::string>& list) {
    out_[key] = nlohmann::json::array();
    for (const auto& entry : list) out_[key].push_back(name_to_text(entry));
  }
  nlohmann::json& value() { return out_; }

  template <class T>
  static nlohmann::json to_value(T& member) {
    if constexpr (std::is_enum_v<T>) {
      return words<T>::list[static_cast<std::size_t>(member)];
    } else if constexpr (is_vector<T>::value) {
      auto list = nlohmann::json::array();
      for (auto& entry : member) list.push_back(to_value(entry));
      return list;
    } else if constexpr (is_map<T>::value) {
      auto object = nlohmann::json::object();
      for (auto& [key, entry] : member) object[key] = to_value(entry);
      return object;
    } else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
      return member;
    } else {
      json_writer nested;
      describe(nested, member);
      return nested.value();
    }
  }

 private:
  nlohmann::json out_ = nlohmann::json::object();
};

// Missing members keep their defaults; a member of the wrong kind or an unknown word is an error with its path.
class json_reader {
 public:
  explicit json_reader(const nlohmann::json& in, std::string path = "") : in_(in), path_(std::move(path)) {}

  template <class T>
  void operator()(const char* key, T& member) {
    const auto found = in_.find(key);
    if (found != in_.end()) from_value(*found, member, path_ + "/" + key);
  }
  void identity(const char* key, std::string& member) {
    (*this)(key, member);
    if (member.empty()) fail(path_ + "/" + key, "a text that is not empty", "none");
  }
  void name(const char* key, std::string& member) {
    std::string text;
    (*this)(key, text);
    if (in_.find(key) != in_.end()) member = bytes_of(text, path_ + "/" + key);
  }
  void names(const char* key, std::vector<std::string>& list) {
    (*this)(key, list);
    for (auto& entry : list) entry = bytes_of(entry, path_ + "/" + key);
  }

  struct bad_member {
    std::string text;
  };

 private:
  [[noreturn]] static void fail(const std::string& path, const std::string& expected, const std::string& found) {
    throw bad_member{fmt::format("{}: expected {}, found {}", path, expected, found)};
  }
  static std::string bytes_of(const std::string& text, const std::string& path) {
    auto bytes = text_to_name(text);
    if (!bytes) fail(path, "a file name with %XX escapes", text);
    return std::move(*bytes);
  }
  static std::string shown(const nlohmann::json& value) {
    return value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace).substr(0, 80);
  }

  // A number beyond its member would be cut to another one.
  template <class T>
  static bool fits(const nlohmann::json& value) {
    if (value.is_number_unsigned()) return std::in_range<T>(value.get<std::uint64_t>());
    return value.is_number_integer() && std::in_range<T>(value.get<std::int64_t>());
  }

  template <class T>
  static void from_value(const nlohmann::json& value, T& member, const std::string& path) {
    if constexpr (std::is_enum_v<T>) {
      for (std::size_t i = 0; i < std::size(words<T>::list); ++i) {
        if (value == words<T>::list[i]) {
          member = static_cast<T>(i);
          return;
        }
      }
      fail(path, fmt::format("one of {}", fmt::join(words<T>::list, ", ")), shown(value));
    } else if constexpr (is_vector<T>::value) {
      if (!value.is_array()) fail(path, "a list", shown(value));
      for (const auto& entry : value) {
        const std::string place = path + "/" + std::to_string(member.size());  // before there is one more
        from_value(entry, member.emplace_back(), place);
      }
    } else if constexpr (is_map<T>::value) {
      if (!value.is_object()) fail(path, "an object", shown(value));
      for (const auto& [key, entry] : value.items()) from_value(entry, member[key], path + "/" + key);
    } else if constexpr (std::is_same_v<T, bool>) {
      if (!value.is_boolean()) fail(path, "true or false", shown(value));
      member = value.get<bool>();
    } else if constexpr (std::is_arithmetic_v<T>) {
      if (!fits<T>(value)) {
        fail(path,
             fmt::format("a whole number from {} to {}", std::numeric_limits<T>::min(), std::numeric_limits<T>::max()),
             shown(value));
      }
      member = value.get<T>();
    } else if constexpr (std::is_same_v<T, std::string>) {
      if (!value.is_string()) fail(path, "text", shown(value));
      member = value.get<std::string>();
    } else {
      if (!value.is_object()) fail(path, "an object", shown(value));
      json_reader nested(value, path);
      describe(nested, member);
    }
  }

  const nlohmann::json& in_;
  std::string path_;
};

inline constexpr int version_written = 1;

// The record as JSON text, with its version. Text that is not UTF-8 has its bad bytes replaced: names go through
// name().
template <class T>
std::string write_json(const T& from) {
  json_writer out;
  describe(out, const_cast<T&>(from));
  out.value()["version"] = version_written;
  return out.value().dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

template <class T>
result<T> read_json(const std::string& text, const char* what) {
  const auto parsed = nlohmann::json::parse(text, nullptr, false);
  if (!parsed.is_object()) return error{errc::bad_message, fmt::format("{}: not a JSON object", what)};
  try {
    const int version = parsed.value("version", version_written);
    if (version > version_written) {
      return error{errc::bad_message, fmt::format("{}: format version {} is newer than this program's {}", what,
                                                  version, version_written)};
    }
    T made;
    json_reader in(parsed);
    describe(in, made);
    return made;
  } catch (const json_reader::bad_member& bad) {
    return error{errc::bad_message, fmt::format("{}: {}", what, bad.text)};
  } catch (const nlohmann::json::exception& bad) {
    return error{errc::bad_message, fmt::format("{}: {}", what, bad.what())};
  }
}

}  // namespace baton::formats
