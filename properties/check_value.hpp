// Whether a text can be the value of a property.
#pragma once

#include <string>
#include <string_view>

#include "common/result.hpp"
#include "properties/property.hpp"

namespace baton {

// The value in the form that property_set keeps (names in upper case, choices as the table spells them), or
// errc::bad_property with "what was expected, what was found".
result<std::string> check_value(const property& entry, std::string_view value);

// What values are allowed, in words: "milliseconds, 2000 to 86400000", "one of none, MD5".
std::string expected_values(const property& entry);

}  // namespace baton
