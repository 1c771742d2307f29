#include "properties/property.hpp"

namespace baton {
namespace {

using enum property_type;
constexpr std::int64_t mebi = 1 << 20;

constexpr property entries[] = {
    {"port", integer, "5672", 0, 65535, "", "Port to listen on. 0: any free one; qmgr.address says which."},
    {"bindAddress", text, "127.0.0.1", 0, 0, "",
     "Address to listen on. Use TLS when it is one that other hosts can reach."},
    {"idleTimeout", milliseconds, "4500", 2000, 86400000, "",
     "A client that is silent for this long loses its connection, and with it its exclusive queues."},
    {"maxMessageSize", bytes, "16777216", 65536, 1024 * mebi, "", "Largest message that is taken."},
    {"maxConnections", integer, "2000", 1, 100000, "", "Connections at the same time."},
    {"memoryLimit", bytes, "67108864", mebi, 1024 * 1024 * mebi, "",
     "Memory for messages. When it is used up, senders get no more credit until messages are taken."},
    {"tlsCertificate", path, "", 0, 0, "", "PEM file with the certificate; turns TLS on. Needs tlsKey."},
    {"tlsKey", path, "", 0, 0, "", "PEM file with the key of tlsCertificate."},
    {"tlsTrust", path, "", 0, 0, "",
     "PEM file with the authorities that clients' certificates must come from. Needs tlsCertificate and tlsKey."},
    {"coordination", boolean, "true", 0, 0, "", "Run the coordination service together with the queue manager."},
    {"outputLogFiles", integer, "5", 1, 100, "", "Files of output0.log, output1.log, ... that are kept."},
    {"outputLogSize", bytes, "1048576", 4096, 1024 * mebi, "", "Size at which a new log file is begun."},
};

constexpr property_table table{"qmgr.properties",
                               "The embedded queue manager. Every property has a default: the file may be missing.",
                               entries,
                               {}};

}  // namespace

const property_table& qmgr_properties() {
  return table;
}

}  // namespace baton
