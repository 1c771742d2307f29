#include "properties/property.hpp"

namespace baton {
namespace {

using enum property_type;
constexpr std::int64_t mebi = 1 << 20;
constexpr std::int64_t day_s = 24 * 3600;

constexpr property entries[] = {
    {"port", integer, "5672", 0, 65535, "", "Port to listen on. 0: any free one; qmgr.address says which."},
    {"bindAddress", text, "127.0.0.1", 0, 0, "",
     "Address to listen on. Use TLS when it is one that other hosts can reach."},
    {"idleTimeout", milliseconds, "4500", 2000, 86400000, "",
     "A client that is silent for this long loses its connection, and with it its exclusive queues."},
    {"maxMessageSize", bytes, "16777216", 65536, 1024 * mebi, "",
     "Largest message that is taken. Those of agents are of up to 1 MiB and 8 KiB, or agentChunkSize and 8 KiB."},
    {"maxConnections", integer, "5000", 1, 100000, "", "Connections at the same time."},
    {"memoryLimit", bytes, "67108864", mebi, 1024 * 1024 * mebi, "",
     "Memory for messages. When it is used up, senders get no more credit until messages are taken."},
    {"tlsCertificate", path, "", 0, 0, "", "PEM file with the certificate; turns TLS on. Needs tlsKey."},
    {"tlsKey", path, "", 0, 0, "", "PEM file with the key of tlsCertificate."},
    {"tlsTrust", path, "", 0, 0, "",
     "PEM file with the authorities that clients' certificates must come from. Needs tlsCertificate and tlsKey."},
    {"coordination", boolean, "true", 0, 0, "", "Run the coordination service together with the queue manager."},
    {"dataPath", path, "", 0, 0, "",
     "Folder on a file system that several hosts share. Set, this is one instance of a multi-instance queue manager: "
     "its queues and messages are in that folder, one instance is active and the others stand by."},
    {"instanceName", text, "", 0, 0, "",
     "With dataPath: name of this instance, unique among those of the queue manager. Default: the host name."},
    {"preferredInstances", text, "", 0, 0, "",
     "With dataPath: names of instances with commas between them, the most preferred first. The first of them that "
     "stands by takes over; with none of them, any other does. The same on all instances."},
    {"failBack", boolean, "false", 0, 0, "",
     "With dataPath: give the queue manager to a more preferred instance when it is back. The same on all instances."},
    {"failBackDelay", seconds, "60", 0, day_s, "",
     "With failBack: how long a more preferred instance must have stood by without a gap."},
    {"instanceRenewInterval", milliseconds, "1000", 50, 60000, "",
     "With dataPath: how often an instance proves that it is the active one, and shows that it is there."},
    {"instanceLease", milliseconds, "10000", 500, 600000, "",
     "With dataPath: an active instance that did not prove it for this long sends nothing any more, and another one "
     "may "
     "take over although it still has the lock. At least three times instanceRenewInterval; shorter than the time "
     "after "
     "which the file system gives away the locks of a host that is gone. The same on all instances."},
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
