// The values of one properties file, checked against its table. Reading a property that is not in the table, or reading
// it as another type than the table says, is a programming error and aborts. Constant after reading; any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"
#include "properties/property.hpp"

namespace baton {

struct property_read;

class property_set {
 public:
  // Every property at its default.
  explicit property_set(const property_table& table);

  // Reads a file: every error and warning of it is reported, not only the first (see property_read).
  static property_read read(const std::filesystem::path& file, const property_table& table);
  // The same for text that is in memory already; `origin` stands for the file's name in errors.
  static property_read parse(std::string_view content, std::string_view origin, const property_table& table);

  // The value as text: every type can be read so. Names are in upper case; nothing set and no default: empty.
  const std::string& text(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;       // integer, bytes
  std::int64_t milliseconds(std::string_view name) const;  // milliseconds, and seconds (times 1000; -1 s stays -1)
  std::int64_t seconds(std::string_view name) const;       // seconds
  bool boolean(std::string_view name) const;
  std::filesystem::path path(std::string_view name) const;

  // The file says it itself: not the default.
  bool is_set(std::string_view name) const;

  const std::string& origin() const { return origin_; }  // the file's name, for messages; "defaults" when none was read
  const property_table& table() const { return *table_; }

 private:
  const property& entry(std::string_view name) const;

  const property_table* table_;
  std::string origin_ = "defaults";
  std::map<std::string, std::string, std::less<>> values_;
};

// What came of reading a file. With errors, `values` holds what could be read and must not be used to run anything.
struct property_read {
  property_set values;
  std::vector<std::string> errors;    // "file:line: property: what is wrong, what is expected, what was found"
  std::vector<std::string> warnings;  // unknown and repeated names
  bool ok() const { return errors.empty(); }
  // All errors as one error (errc::bad_property, or not_found when there is no such file), one line each.
  error failure() const;
  bool missing = false;  // there is no such file
};

}  // namespace baton
