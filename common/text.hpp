// Small helpers on text that everything uses. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace baton {

// Control characters as \n, \t, \xNN: for logs and terminals.
std::string escape_control(std::string_view text);

// The text of an errno value, thread-safe.
std::string system_text(int error_number);

// What this machine calls itself; "unknown" when it does not say.
std::string host_name();

// A file name of any bytes as UTF-8 text and back: '%', control characters and bytes that are not UTF-8 become %XX.
// Names of ordinary characters stay as they are. Used wherever a name is put into JSON, a log or on a screen.
std::string name_to_text(std::string_view bytes);
std::optional<std::string> text_to_name(std::string_view text);

// Lower-case hex of bytes.
std::string to_hex(std::string_view bytes);
std::optional<std::string> from_hex(std::string_view hex);

// "1.5 GiB", "312 B": bytes for people. "1h02m", "12.3 s": durations for people.
std::string human_bytes(std::uint64_t bytes);
std::string human_duration_ms(std::int64_t milliseconds);

// Splits at a separator; an empty text gives an empty list.
std::vector<std::string> split(std::string_view text, char separator);
std::string trim(std::string_view text);
std::string upper(std::string_view text);

// "*" and "?" as in the field's wildcards; matches the whole name, byte by byte.
bool wildcard_match(std::string_view pattern, std::string_view name);

}  // namespace baton
