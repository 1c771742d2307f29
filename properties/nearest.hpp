// "Did you mean ...": the word of a list that is spelled most like another one.
#pragma once

#include <string_view>
#include <vector>

namespace baton {

// Empty when none is near: at most one third of the letters may differ. Case does not count.
std::string_view nearest_word(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace baton
