// What the scripts for administrators of brokers with a management over HTTP have in common. Included by dialects only.
#pragma once

#include <string>
#include <string_view>

namespace baton::amqp {

// Shell: variables <prefix>_URL, <prefix>_USER, <prefix>_PASSWORD with their defaults, and a function `call` that is
// curl with these; the password is not on its command line. `header`: one more that each request carries, or nothing.
std::string admin_script_head(std::string_view prefix, std::string_view url, std::string_view user,
                              std::string_view header = {});
// Shell: a function `gone URL` that deletes what is there.
std::string admin_script_gone();

std::string percent_encoded(std::string_view text);
std::string percent_decoded(std::string_view text);

}  // namespace baton::amqp
