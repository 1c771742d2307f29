#include "properties/credentials.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pugixml.hpp>
#include <sstream>

#include "common/text.hpp"
#include "properties/atomic_file.hpp"
#include "properties/obfuscation.hpp"

namespace baton {
namespace {

namespace fs = std::filesystem;

// Element names with any namespace prefix.
bool is_named(const pugi::xml_node& node, std::string_view name) {
  std::string_view full = node.name();
  if (const auto colon = full.rfind(':'); colon != std::string_view::npos) full.remove_prefix(colon + 1);
  return full == name;
}

status check_private(const fs::path& file) {
  struct stat about {};
  if (::stat(file.c_str(), &about) != 0 || (about.st_mode & (S_IRWXG | S_IRWXO)) == 0) return done();
  return error{errc::not_permitted, fmt::format("{}: other users may access it: make it private with chmod 600 {}",
                                                file.native(), file.native())};
}

result<std::string> read_key(const fs::path& key_file) {
  if (key_file.empty()) return obfuscation_key("");
  if (auto is_private = check_private(key_file); !is_private) return is_private.error();
  const auto content = read_small_file(key_file);
  if (!content) return content.error();
  if (trim(*content).empty())
    return error{errc::bad_property, fmt::format("{}: the key file is empty", key_file.native())};
  return obfuscation_key(trim(*content));
}

result<pugi::xml_node> load(const fs::path& file, pugi::xml_document& document) {
  const auto content = read_small_file(file);
  if (!content) return content.error();
  const auto parsed = document.load_buffer(content->data(), content->size());
  const pugi::xml_node root = document.document_element();
  if (!parsed || !is_named(root, "mqmftCredentials")) {
    return error{errc::bad_property,
                 fmt::format("{}: expected XML with the element mqmftCredentials: {}", file.native(),
                             parsed ? "it is something else" : parsed.description())};
  }
  return root;
}

std::string current_user() {
  char buffer[4096];
  passwd entry{};
  passwd* found = nullptr;
  getpwuid_r(geteuid(), &entry, buffer, sizeof buffer, &found);
  return found == nullptr ? std::string() : found->pw_name;
}

// The entry for the queue manager: better one for this user than one for everybody.
pugi::xml_node find_entry(const pugi::xml_node& root, std::string_view qmgr) {
  const std::string user = current_user();
  pugi::xml_node best;
  for (const pugi::xml_node& node : root.children()) {
    if (!is_named(node, "qmgr") || upper(node.attribute("name").value()) != upper(qmgr)) continue;
    const std::string for_user = node.attribute("user").value();
    if (for_user == user) return node;
    if (for_user.empty()) best = node;
  }
  return best;
}

result<std::string> clear_value(const pugi::xml_node& node, const char* name, const std::string& key) {
  const std::string value = node.attribute(name).value();
  return is_obfuscated(value) ? reveal(value, key) : result<std::string>(value);
}

}  // namespace

result<credentials> read_credentials(const fs::path& file, std::string_view qmgr) {
  if (auto is_private = check_private(file); !is_private) return is_private.error();
  pugi::xml_document document;
  const auto root = load(file, document);
  if (!root) return root.error();
  const pugi::xml_node entry = find_entry(*root, qmgr);
  if (!entry) return error{errc::not_found, fmt::format("{}: no entry for queue manager {}", file.native(), qmgr)};
  const auto key = read_key(root->attribute("keyFile").value());
  if (!key) return key.error();
  const auto user = clear_value(entry, "mqUserId", *key), password = clear_value(entry, "mqPassword", *key);
  for (const auto* value : {&user, &password}) {
    if (!*value) return error{value->error().code, fmt::format("{}: {}", file.native(), value->error().text)};
  }
  return credentials{*user, *password};
}

result<std::string> obfuscated_credentials(const fs::path& file, const fs::path& key_file) {
  pugi::xml_document document;
  auto root = load(file, document);
  if (!root) return root.error();
  const auto key = read_key(key_file);
  if (!key) return key.error();
  if (!key_file.empty()) {
    if (!root->attribute("keyFile")) root->append_attribute("keyFile");
    root->attribute("keyFile").set_value(fs::absolute(key_file).c_str());
  }
  for (pugi::xml_node node : root->children()) {
    for (const char* name : {"mqUserId", "mqPassword"}) {
      pugi::xml_attribute attribute = node.attribute(name);
      if (!attribute || is_obfuscated(attribute.value())) continue;
      const auto hidden = obfuscate(attribute.value(), *key);
      if (!hidden) return hidden.error();
      attribute.set_value(hidden->c_str());
    }
  }
  std::ostringstream out;
  document.save(out, "  ");
  return out.str();
}

}  // namespace baton
