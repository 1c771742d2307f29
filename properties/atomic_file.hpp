// Small files, read whole and replaced atomically: after a crash there is the old file or the new one, never a part.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "common/result.hpp"

namespace baton {

// errc::not_found, not_permitted, io; no_space when it is longer than bytes_max.
result<std::string> read_small_file(const std::filesystem::path& path, std::size_t bytes_max = 1 << 20);

// Writes a temporary file beside it, syncs, renames, syncs the directory. Makes the directories that are missing.
status write_file_atomically(const std::filesystem::path& path, std::string_view content, mode_t mode = 0644);

}  // namespace baton
