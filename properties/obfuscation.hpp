// Passwords in credentials files in a form that cannot be read over a shoulder: AES-256-GCM. With a key file of one's
// own that is encryption, as good as the key file is kept. Without one the key is built into the program: then it is
// obfuscation only, and whoever has the file and Baton has the password.
//
//   text form: {baton1}<hex of 12 bytes nonce, ciphertext, 16 bytes tag>
#pragma once

#include <string>
#include <string_view>

#include "common/result.hpp"

namespace baton {

// The key that a key file's content stands for; an empty content: the built-in key.
std::string obfuscation_key(std::string_view key_file_content);

bool is_obfuscated(std::string_view text);
result<std::string> obfuscate(std::string_view text, std::string_view key);
// errc::not_permitted when the key is another one, or the text was changed.
result<std::string> reveal(std::string_view obfuscated, std::string_view key);

}  // namespace baton
