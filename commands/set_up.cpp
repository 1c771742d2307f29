#include "commands/set_up.hpp"

#include <fmt/format.h>

#include <system_error>

#include "properties/check_value.hpp"
#include "properties/qmgr_urls.hpp"
#include "properties/write.hpp"

namespace baton::commands {

result<property_values> values_of_options(const arguments& words, const property_table& table) {
  property_values values;
  for (const option& o : words.declared().options) {
    const property* entry = table.find(key_of(o));
    if (entry == nullptr || !words.has(key_of(o))) continue;
    auto checked = check_value(*entry, words.text(key_of(o)));
    if (!checked) return error{errc::bad_usage, fmt::format("-{}: {}", key_of(o), checked.error().text)};
    values[std::string(entry->name)] = *checked;
  }
  for (const auto& [name, value] : values) {
    if (!name.ends_with("QMgrUrls")) continue;
    if (const auto read = parse_qmgr_urls(value); !read) {
      return error{errc::bad_usage, fmt::format("-{}: {}", name, read.error().text)};
    }
    const std::string prefix = name.substr(0, name.size() - 4);
    for (const std::string& other : {prefix + "Host", prefix + "Port"}) {
      if (values.contains(other)) return error{errc::bad_usage, fmt::format("-{} takes the place of -{}", name, other)};
    }
  }
  for (const auto& [name, value] : values) {
    constexpr std::string_view kind = "QMgrType";
    if (!name.ends_with(kind) || value == table.find(name)->default_value) continue;
    const std::string prefix = name.substr(0, name.size() - 4), host = prefix + "Host";
    if (!values.contains(host) && !values.contains(prefix + "Urls")) {
      return error{errc::bad_usage, fmt::format("-{} {} needs -{} or -{}Urls", name, value, host, prefix)};
    }
  }
  return values;
}

status write_new_properties(const std::filesystem::path& file, const property_table& table,
                            const property_values& values, bool replace) {
  std::error_code failure;
  if (!replace && std::filesystem::exists(file, failure)) {
    return error{errc::already_exists, fmt::format("{} exists; -f replaces it", file.native())};
  }
  return write_properties(file, table, values);
}

}  // namespace baton::commands
