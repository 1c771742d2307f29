// MQMFTCredentials.xml: user and password for each queue manager.
//
//   <tns:mqmftCredentials xmlns:tns="http://wmqfte.ibm.com/MQMFTCredentials" keyFile="...">
//     <tns:qmgr name="QM1" user="osuser" mqUserId="app" mqPassword="secret"/>
//   </tns:mqmftCredentials>
//
// `user` (optional) limits an entry to one user of the operating system; the entry with it goes before the one without.
// mqUserId and mqPassword may be obfuscated (obfuscation.hpp); keyFile names the file with their key.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "common/result.hpp"

namespace baton {

struct credentials {
  std::string user, password;
};

// errc::not_found: no entry for the queue manager; not_permitted: others than the owner can read the file (or its key
// file); bad_property: not such a file.
result<credentials> read_credentials(const std::filesystem::path& file, std::string_view qmgr);

// The text of the file with every clear mqUserId and mqPassword obfuscated. `key_file` may be empty: built-in key.
result<std::string> obfuscated_credentials(const std::filesystem::path& file, const std::filesystem::path& key_file);

}  // namespace baton
