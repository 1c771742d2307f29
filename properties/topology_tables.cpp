// The small files of a topology: coordination.properties, command.properties and installation.properties.
#include "common/amqp/dialect.hpp"
#include "properties/property.hpp"

namespace baton {
namespace {

using enum property_type;

constexpr property coordination_entries[] = {
    {"coordinationQMgr", name, "", 0, 0, "",
     "Queue manager that all agents of the topology publish to; also the name of this set of configuration.", true},
    {"coordinationQMgrHost", text, "", 0, 0, "",
     "Host of the queue manager. Without it: the embedded queue manager of this host."},
    {"coordinationQMgrPort", integer, "5672", 1, 65535, "", "Port of the queue manager; only used with a host."},
    {"coordinationQMgrUrls", text, "", 0, 0, "",
     "Queue managers instead of coordinationQMgrHost and coordinationQMgrPort: amqp://host:port or amqps://host:port, "
     "separated by "
     "commas, tried in this order. Agents publish to the first that is up, lists are asked for there, and the "
     "coordination service of its own process (fteStartCoordination) takes publications from all of them."},
    {"coordinationQMgrRandomize", boolean, "false", 0, 0, "",
     "Try the queue managers of coordinationQMgrUrls in a random order."},
    {"coordinationQMgrPriorityBackup", boolean, "true", 0, 0, "",
     "Agents that publish to another one go back to the first of coordinationQMgrUrls when that is up again; they "
     "look every agentQMgrRetryInterval."},
    {"coordinationQMgrConnectTimeout", milliseconds, "10000", 100, 86400000, "",
     "Time after which an attempt to connect is given up."},
    {"coordinationQMgrType", choice, "embedded", 0, 0, amqp::broker_kind_words,
     "Kind of queue manager: Baton's own, RabbitMQ 3.10 with the plugins rabbitmq_amqp1_0 and rabbitmq_management, "
     "Apache ActiveMQ Artemis, Apache Qpid Broker-J. All but embedded need coordinationQMgrHost or "
     "coordinationQMgrUrls."},
    {"coordinationQMgrManagementUrl", text, "", 0, 0, "",
     "Where the management of a queue manager that is not embedded listens for HTTP; with coordinationQMgrUrls one for "
     "each, "
     "separated by commas. Default: on its host port 15672 for rabbitmq, or 15671 with TLS, 8161 for artemis, 8080 for "
     "qpid, or 8443 with TLS. Only rabbitmq is managed there, queues are in its virtual host /; for the others only "
     "scripts for administrators use it."},
    {"coordinationQMgrQueueType", choice, "classic", 0, 0, amqp::queue_type_words,
     "How RabbitMQ keeps the queues that are made for coordination: on one node, or, for a cluster, replicated to "
     "several. quorum needs coordinationQMgrType rabbitmq. Queues that exist are not changed."},
    {"coordinationQMgrAuthenticationCredentialsFile", path, "", 0, 0, "",
     "MQMFTCredentials.xml with the user and password. Only its owner may be able to read it."},
    {"coordinationSslTrustStore", path, "", 0, 0, "",
     "PEM file with the authorities that the queue manager's certificate must come from. Setting it turns TLS on."},
    {"coordinationSslCertificate", path, "", 0, 0, "", "PEM file with the own certificate; needs coordinationSslKey."},
    {"coordinationSslKey", path, "", 0, 0, "", "PEM file with the key of coordinationSslCertificate."},
    {"historyDays", integer, "30", 1, 36500, "",
     "Days that the coordination service keeps what it knows of an ended transfer."},
};
constexpr std::string_view coordination_not_yet[] = {
    "coordinationCcsid",
    "coordinationQMgrChannel",
    "coordinationQMgrStandby",
    "coordinationSslCipherSpec",
    "coordinationSslFipsRequired",
    "coordinationSslKeyStore",
    "coordinationSslKeyStoreCredentialsFile",
    "coordinationSslKeyStoreType",
    "coordinationSslPeerName",
    "coordinationSslTrustStoreCredentialsFile",
    "coordinationSslTrustStoreType",
    "coordinationSubscriptionTopic",
};
constexpr property_table coordination{"coordination.properties",
                                      "Where the agents of a topology publish to, and lists are asked for.",
                                      coordination_entries, coordination_not_yet};

constexpr property command_entries[] = {
    {"connectionQMgr", name, "", 0, 0, "", "Queue manager that commands connect to.", true},
    {"connectionQMgrHost", text, "", 0, 0, "",
     "Host of the queue manager. Without it: the embedded queue manager of this host."},
    {"connectionQMgrPort", integer, "5672", 1, 65535, "", "Port of the queue manager; only used with a host."},
    {"connectionQMgrUrls", text, "", 0, 0, "",
     "Queue managers instead of connectionQMgrHost and connectionQMgrPort: amqp://host:port or amqps://host:port, "
     "separated by "
     "commas, tried in this order. Each command uses the first that is up."},
    {"connectionQMgrRandomize", boolean, "false", 0, 0, "",
     "Try the queue managers of connectionQMgrUrls in a random order."},
    {"connectionQMgrConnectTimeout", milliseconds, "10000", 100, 86400000, "",
     "Time after which an attempt to connect to one of connectionQMgrUrls is given up. A command that has less time in "
     "all gives each an equal part of it."},
    {"connectionQMgrType", choice, "embedded", 0, 0, amqp::broker_kind_words,
     "Kind of queue manager: Baton's own, RabbitMQ 3.10 with the plugins rabbitmq_amqp1_0 and rabbitmq_management, "
     "Apache ActiveMQ Artemis, Apache Qpid Broker-J. All but embedded need connectionQMgrHost or connectionQMgrUrls."},
    {"connectionQMgrManagementUrl", text, "", 0, 0, "",
     "Where the management of a queue manager that is not embedded listens for HTTP; with connectionQMgrUrls one for "
     "each, "
     "separated by commas. Default: on its host port 15672 for rabbitmq, or 15671 with TLS, 8161 for artemis, 8080 for "
     "qpid, or 8443 with TLS. Only rabbitmq is managed there, queues are in its virtual host /; for the others only "
     "scripts for administrators use it."},
    {"connectionQMgrAuthenticationCredentialsFile", path, "", 0, 0, "",
     "MQMFTCredentials.xml with the user and password. Only its owner may be able to read it."},
    {"connectionSslTrustStore", path, "", 0, 0, "",
     "PEM file with the authorities that the queue manager's certificate must come from. Setting it turns TLS on."},
    {"connectionSslCertificate", path, "", 0, 0, "", "PEM file with the own certificate; needs connectionSslKey."},
    {"connectionSslKey", path, "", 0, 0, "", "PEM file with the key of connectionSslCertificate."},
};
constexpr std::string_view command_not_yet[] = {
    "connectionCcsid",
    "connectionQMgrChannel",
    "connectionQMgrStandby",
    "connectionSslCipherSpec",
    "connectionSslFipsRequired",
    "connectionSslKeyStore",
    "connectionSslKeyStoreCredentialsFile",
    "connectionSslKeyStoreType",
    "connectionSslPeerName",
    "connectionSslTrustStoreCredentialsFile",
    "connectionSslTrustStoreType",
};
constexpr property_table command{"command.properties", "Which queue manager the commands connect to.", command_entries,
                                 command_not_yet};

constexpr property installation_entries[] = {
    {"defaultProperties", name, "", 0, 0, "",
     "Set of configuration that commands use without -p: the name of a coordination queue manager."},
    {"commandMessagePriority", integer, "8", 0, 9, "",
     "AMQP priority of what commands send to agents, so that it overtakes requests for transfers."},
};
constexpr std::string_view installation_not_yet[] = {"enableFunctionalFixPack"};
constexpr property_table installation{"installation.properties", "Defaults of all commands of this installation.",
                                      installation_entries, installation_not_yet};

}  // namespace

const property_table& coordination_properties() {
  return coordination;
}
const property_table& command_properties() {
  return command;
}
const property_table& installation_properties() {
  return installation;
}

}  // namespace baton
