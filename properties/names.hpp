// Which names agents and queue managers may have. They become parts of queue names and of paths, so the rule is narrow:
// letters, digits, '.' and '_', beginning with a letter or digit. Names are not case-sensitive: kept in upper case.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/result.hpp"

namespace baton {

constexpr std::size_t agent_name_length_max = 28;  // SYSTEM.FTE.COMMAND.<agent> has to fit into 48 characters
constexpr std::size_t qmgr_name_length_max = 48;

// The name in upper case, or errc::bad_usage with the rule that it breaks.
result<std::string> checked_agent_name(std::string_view text);
result<std::string> checked_qmgr_name(std::string_view text);

}  // namespace baton
