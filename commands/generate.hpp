// `fte --generate ...`: documentation, man pages and completion out of the declarations, for the build and for
// packagers.
#pragma once

#include <string>
#include <vector>

namespace baton::commands {

// The words after --generate; gives the exit code.
int generate(const std::vector<std::string>& words);

std::string messages_markdown();  // docs/messages.md, out of the catalogue

}  // namespace baton::commands
