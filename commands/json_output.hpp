// Parts of an answer of the coordination service as JSON text, and the small texts that lists share.
#pragma once

#include <cstdint>
#include <string>

#include "common/formats/publications.hpp"

namespace baton::commands {

// One member of the answer ("agents", "transfers", "items"), indented; "[]" when it is empty.
std::string json_part(const formats::answer& answer, const char* member);

// "0:00:12"
std::string age_text(std::int64_t age_ms);
// "2026-11-22 08:30:00", local time; empty for 0.
std::string time_text(std::int64_t wall_ms);

}  // namespace baton::commands
