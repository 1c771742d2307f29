// fteObfuscate: hides the passwords of a credentials file.
#include <fmt/format.h>

#include "commands/commands.hpp"
#include "commands/console.hpp"
#include "properties/atomic_file.hpp"
#include "properties/credentials.hpp"

namespace baton::commands {
namespace {

constexpr option options[] = {
    {"f", "file", option_kind::text, "file", "The credentials file, MQMFTCredentials.xml. It is replaced.", true},
    {"sf", "key-file", option_kind::text, "file",
     "File with a secret to make the key from. Without it the key is built into Baton: that keeps a password from "
     "being "
     "read over a shoulder, and nothing else."},
};
constexpr std::string_view not_yet[] = {"sp"};

int run(const arguments& words) {
  const std::filesystem::path file = words.text("f");
  const auto hidden = obfuscated_credentials(file, words.text("sf"));
  if (!hidden) return fail(hidden.error());
  const auto written = write_file_atomically(file, *hidden, 0600);
  if (!written) return fail(written.error());
  say(messages::BFGCL0930I, file.native());
  if (!words.has("sf")) complain(messages::BFGCL0931W);
  return 0;
}

}  // namespace

const command obfuscate_credentials{"fteObfuscate",
                                    "Hide the passwords of a credentials file.",
                                    options,
                                    {},
                                    not_yet,
                                    "Values are encrypted with AES-256-GCM; what is hidden already stays as it is. The "
                                    "file and the key file must be readable by their owner only.",
                                    "fteObfuscate -f MQMFTCredentials.xml -sf key.txt",
                                    run};

}  // namespace baton::commands
