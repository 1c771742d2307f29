// UTF-8, as far as the readers of files need it. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace baton {

// No overlong forms, no surrogates, nothing past U+10FFFF.
bool is_utf8(std::string_view text);
void append_utf8(std::string& out, std::uint32_t code);

}  // namespace baton
