#include <array>

#include "common/amqp/dialect.hpp"
#include "properties/property.hpp"

namespace baton {
namespace {

using enum property_type;
constexpr std::int64_t days_s = 86400, days_ms = 86400000;
constexpr std::int64_t mebi = 1 << 20;

constexpr property entries[] = {
    // Who the agent is and where its queues are.
    {"agentName", name, "", 0, 0, "", "Name of the agent, at most 28 characters.", true},
    {"agentDesc", text, "", 0, 0, "", "Description of the agent, for people."},
    {"agentType", choice, "STANDARD", 0, 0, "STANDARD", "Kind of agent. Bridge agents do not exist in Baton."},
    {"agentQMgr", name, "", 0, 0, "", "Queue manager that has the queues of the agent.", true},
    {"agentQMgrHost", text, "", 0, 0, "",
     "Host of the queue manager. Without it the agent uses the embedded queue manager of its own host (bindings "
     "mode)."},
    {"agentQMgrPort", integer, "5672", 1, 65535, "", "Port of the queue manager; only used with agentQMgrHost."},
    {"agentQMgrUrls", text, "", 0, 0, "",
     "Queue managers instead of agentQMgrHost and agentQMgrPort: amqp://host:port or amqps://host:port, separated by "
     "commas, tried in this order. Only one at a time is used. Queue managers that share no state each have a lock, "
     "queues and records of their own."},
    {"agentQMgrRandomize", boolean, "false", 0, 0, "",
     "Try the queue managers of agentQMgrUrls in a random order. Only where all of them are one cluster: otherwise "
     "instances of an agent end up on different ones."},
    {"agentQMgrPriorityBackup", boolean, "true", 0, 0, "",
     "An agent that is connected to another one goes back to the first of agentQMgrUrls when that is up again, at a "
     "checkpoint of its transfers. It looks every agentQMgrRetryInterval. Without effect with agentQMgrRandomize."},
    {"agentQMgrType", choice, "embedded", 0, 0, amqp::broker_kind_words,
     "Kind of queue manager: Baton's own, RabbitMQ 3.10 with the plugins rabbitmq_amqp1_0 and rabbitmq_management, "
     "Apache ActiveMQ Artemis, Apache Qpid Broker-J. All but embedded need agentQMgrHost or agentQMgrUrls."},
    {"agentQMgrManagementUrl", text, "", 0, 0, "",
     "Where the management of a queue manager that is not embedded listens for HTTP; with agentQMgrUrls one for each, "
     "separated by commas. Default: on its host port 15672 for rabbitmq, or 15671 with TLS, 8161 for artemis, 8080 for "
     "qpid, or 8443 with TLS. Only rabbitmq is managed there, queues are in its virtual host /; for the others only "
     "scripts for administrators use it."},
    {"agentQMgrQueueType", choice, "classic", 0, 0, amqp::queue_type_words,
     "How RabbitMQ keeps the queues that are made for the agent: on one node, or, for a cluster, replicated to "
     "several. "
     "quorum needs agentQMgrType rabbitmq. Queues that exist are not changed."},
    {"agentQMgrAuthenticationCredentialsFile", path, "", 0, 0, "",
     "MQMFTCredentials.xml with the user and password for the queue manager. Only its owner may be able to read it."},
    {"agentSslTrustStore", path, "", 0, 0, "",
     "PEM file with the authorities that the queue manager's certificate must come from. Setting it turns TLS on."},
    {"agentSslCertificate", path, "", 0, 0, "", "PEM file with the agent's own certificate; needs agentSslKey."},
    {"agentSslKey", path, "", 0, 0, "", "PEM file with the key of agentSslCertificate."},
    {"agentQMgrRetryInterval", seconds, "30", 1, days_s, "",
     "Time between attempts to reach a queue manager that does not answer."},
    {"agentQMgrConnectTimeout", milliseconds, "10000", 100, days_ms, "",
     "Time after which an attempt to connect, or to open a queue, is given up."},
    {"agentQMgrIdleTimeout", milliseconds, "8000", 2000, days_ms, "",
     "A queue manager that is silent for this long is taken for lost. It bounds how soon a dead connection is "
     "noticed."},
    // High availability.
    {"highlyAvailable", boolean, "false", 0, 0, "",
     "Run as one of several instances of the agent, of which one is active and the others stand by. Needs an AMQP 1.0 "
     "queue manager that all of them reach."},
    {"instanceName", text, "", 0, 0, "",
     "Name of this instance, unique among those of the agent. Default: the host name."},
    {"instancePriority", integer, "100", 0, 127, "",
     "Of several instances that can be the active one the one with the highest value is. One that sets less than 127 "
     "lets others be first for 10 ms for each point that it has less. Without effect with preferredInstances, but for "
     "instances that are not in it."},
    {"preferredInstances", text, "", 0, 0, "",
     "Names of instances, separated by commas: of those that can be the active one the first in the list is, and any "
     "other one when none of them can. The same on all hosts."},
    {"failBack", boolean, "false", 0, 0, "",
     "The active instance gives the lock back, at a checkpoint of its transfers, when one that is preferred to it has "
     "been standing by for failBackDelay. The same on all hosts."},
    {"failBackDelay", seconds, "60", 0, days_s, "", "See failBack."},
    {"lockRenewInterval", milliseconds, "1000", 50, 60000, "",
     "How often the active instance proves that it still has the lock."},
    {"lockLease", milliseconds, "4000", 200, 600000, "",
     "An active instance that could not prove that it has the lock for this long does nothing irreversible any more. "
     "At least three times lockRenewInterval, and shorter than the time after which the queue manager gives up a "
     "silent "
     "client."},
    {"standbyPollInterval", milliseconds, "5000", 100, days_ms, "",
     "Where the queue manager refuses a second instance instead of letting it wait: time until the second attempt to "
     "get the lock."},
    {"consumerSleepTime", milliseconds, "30000", 100, days_ms, "",
     "Where the queue manager refuses a second instance: time between further attempts, until one succeeds. Likewise "
     "for a queue that is to be read and is in exclusive use."},
    {"standbyStatusPublishInterval", seconds, "300", 1, days_s, "",
     "How often an instance that stands by sends its status to the active one."},
    {"standbyStatusExpiry", seconds, "30", 1, days_s, "",
     "The status of an instance that stands by is thrown away when the active one has not read it after this time."},
    {"standbyStatusDiscardTime", seconds, "600", 2, 10 * days_s, "",
     "An instance that stands by and is silent for this long is removed from the list of instances. At least twice "
     "standbyStatusPublishInterval."},
    // What the data path does.
    {"agentChunkSize", bytes, "262144", 4096, 16 * mebi, "",
     "Size of one message of file data. Where it is not set, messages through the embedded queue manager are of 1 "
     "MiB."},
    {"agentWindowSize", integer, "16", 1, 1000, "",
     "Chunks that may be under way without being acknowledged: the memory of a transfer is this times agentChunkSize; "
     "on "
     "a direct channel, where chunks are of 1 MiB, twice that and at least 4 MiB."},
    {"agentCheckpointInterval", integer, "4", 1, 1000, "",
     "Windows between two durable checkpoints of a file. More is faster, and sends more again after a failure."},
    {"agentBandwidthLimit", bytes, "0", 0, 1024 * 1024 * mebi, "",
     "Bytes per second that all transfers which the agent sends may use together; 0: no limit. It can be changed while "
     "transfers run. fteCreateTransfer -bw limits one transfer."},
    {"agentDataDirect", boolean, "true", 0, 0, "",
     "Data of larger transfers goes from agent to agent, past the queue manager, where both have this and reach each "
     "other. Otherwise, and while that is broken, it goes through the DATA queue of the destination."},
    {"agentDataHost", text, "", 0, 0, "",
     "Address or name at which source agents reach this agent for the data of a transfer; it listens there. Default: "
     "with agentSslCertificate or agentDataAllowPlain all addresses of the host, under the host's name; otherwise "
     "127.0.0.1, for agents of the same host."},
    {"agentDataPort", integer, "0", 0, 65535, "", "Port for the data of transfers; 0: any that is free."},
    {"agentDataAllowPlain", boolean, "false", 0, 0, "",
     "Send and receive the data of transfers directly in clear text between hosts. Only for networks where nobody else "
     "listens. With agentSslCertificate this agent receives with TLS all the same."},
    {"itemsPerProgressMessage", integer, "50", 1, 10000, "", "Files that are reported in one progress message."},
    {"ioThreadPoolSize", integer, "4", 1, 64, "", "Threads that read, write and checksum files."},
    {"transferRoot", path, "", 0, 0, "",
     "Directory that relative paths of transfers start from. Default: the home of the user that the agent runs as."},
    // Programs before and after transfers.
    {"commandPath", text, "", 0, 0, "",
     "Directories, with a colon between them, whose programs transfers may run before and after they move data. Empty: "
     "none may be run. Whoever may send requests to the agent may run them, as the agent's user."},
    {"maxCommandHandlerThreads", integer, "5", 1, 64, "", "Programs that the agent runs at the same time."},
    {"maxCommandWait", seconds, "60", 1, days_s, "", "Time that a program may run; then it is ended with a signal."},
    {"maxCommandRetries", integer, "9", 0, 1000, "",
     "How often a program that was not successful is run again at most, whatever the request asks for."},
    {"maxCommandOutput", bytes, "10240", 0, mebi, "", "How much of what a program writes is kept for the log."},
    // Queues as sources.
    {"enableQueueInputOutput", boolean, "false", 0, 0, "",
     "Transfers may have a queue of the agent's queue manager as their source: its messages become a file."},
    {"exclusive", boolean, "false", 0, 0, "",
     "Queues that are read are read exclusively: while this agent reads one, no other consumer gets its messages, and "
     "while another has it so, this agent waits for consumerSleepTime between attempts. Needs AMQP; a request asks for "
     "it with -sqx."},
    {"maxMessagesForTransfer", integer, "20000", 1, 50000, "",
     "Most messages of a queue that one transfer makes a file of. They are held meanwhile, so they cost memory here "
     "and "
     "at the queue manager; at 64 MiB no more are taken either. What is left stays for the next transfer."},
    {"maxInputOutputMessageLength", bytes, "1048576", 1, 33554432, "",
     "Largest message of a queue that is put into a file. A larger one fails the transfer and stays on the queue."},
    // Limits.
    {"maxSourceTransfers", integer, "25", 0, 10000, "",
     "Transfers that the agent sends at the same time. 0: it refuses to be a source (result code 51)."},
    {"maxDestinationTransfers", integer, "25", 0, 10000, "",
     "Transfers that the agent receives at the same time. 0: it refuses to be a destination (result code 52)."},
    {"maxQueuedTransfers", integer, "1000", 0, 1000000, "",
     "Transfers that may wait at the source; further requests are refused (result code 44)."},
    {"maxFilesForTransfer", integer, "0", 0, 2147483647, "",
     "Files that one transfer may have; 0: no limit. IBM MFT's default is 5000, because it keeps the list of files in "
     "memory and in messages; Baton does not, so the limit is only there for those who want one."},
    {"failTransferWhenCapacityReached", boolean, "false", 0, 0, "",
     "Fail a transfer whose destination has no capacity, instead of trying again later."},
    {"failTransferOnFirstFailure", boolean, "false", 0, 0, "",
     "End a transfer at its first failed file. Files that were complete before keep their result."},
    // Waiting and recovery.
    {"maxTransferNegotiationTime", milliseconds, "250000", 1000, days_ms, "",
     "Time that the destination has to answer when a transfer begins."},
    {"transferAckTimeout", milliseconds, "60000", 1000, days_ms, "",
     "Time without an acknowledgement after which the source sends again."},
    {"transferAckTimeoutRetries", integer, "5", 0, 1000, "",
     "A destination that hears nothing from the source for so many transferAckTimeout gives the transfer's place "
     "free."},
    {"transferRecoveryTimeout", seconds, "-1", -1, 365 * days_s, "",
     "Time that a transfer may be in recovery before it fails (result code 69). -1: for ever. 0: it fails at once."},
    {"senderTransferRetryInterval", milliseconds, "30000", 100, days_ms, "",
     "Time after which a transfer that the destination had no capacity for is tried again."},
    {"recoverableTransferRetryInterval", milliseconds, "60000", 100, days_ms, "",
     "Time between attempts to recover a transfer."},
    // Status.
    {"agentStatusPublishRateLimit", seconds, "30", 0, days_s, "",
     "Status is not published more often than this when it changes. 0: at every change."},
    {"agentStatusPublishRateMin", seconds, "300", 1, days_s, "",
     "Status is published at least this often, whether it changed or not."},
    {"agentStatusJitterTolerance", milliseconds, "3000", 0, days_ms, "",
     "How much later than agentStatusPublishRateMin a status may come before the agent is shown as UNREACHABLE."},
    // Process and logs.
    {"immediateShutdownTimeout", seconds, "10", 0, 3600, "",
     "Time that an immediate stop has, before the process ends whatever is still going on."},
    {"maxRestartCount", integer, "4", 0, 1000, "",
     "How often the controller restarts the agent within maxRestartInterval before it gives up."},
    {"maxRestartInterval", seconds, "120", 1, days_s, "", "See maxRestartCount."},
    {"maxRestartDelay", seconds, "-1", -1, days_s, "",
     "Wait before the next attempt when maxRestartCount is reached. -1: the controller ends instead."},
    {"outputLogFiles", integer, "5", 1, 100, "", "Files of output0.log, output1.log, ... that are kept."},
    {"outputLogSize", bytes, "1048576", 4096, 1024 * mebi, "", "Size at which a new log file is begun."},
    {"logTransfer", choice, "info", 0, 0, "off|info|moderate|verbose",
     "What transferlog0.json has of each transfer: its request and end (info), also progress and files that failed "
     "(moderate), also every file (verbose)."},
    {"logTransferFiles", integer, "5", 1, 100, "", "Files of transferlog0.json, transferlog1.json, ... that are kept."},
    {"logTransferFileSize", bytes, "20971520", 4096, 1024 * mebi, "",
     "Size at which a new transferlog0.json is begun."},
    {"failCleanAgentWithNoArguments", boolean, "true", 0, 0, "",
     "fteCleanAgent without an option that says what to clean is refused. false: it cleans everything."},
};

constexpr std::string_view not_yet[] = {
    "additionalWildcardSandboxChecking",
    "agentCcsid",
    "agentForceConsistentPathDelimiters",
    "agentFrameSize",
    "agentQMgrChannel",
    "agentQMgrStandby",
    "agentSslCipherSpec",
    "agentSslFipsRequired",
    "agentSslKeyStore",
    "agentSslKeyStoreCredentialsFile",
    "agentSslKeyStoreType",
    "agentSslPeerName",
    "agentSslTrustStoreCredentialsFile",
    "agentSslTrustStoreType",
    "agentHeartbeatInterval",
    "authorityChecking",
    "commandMessagePriority",
    "deleteTmpFileAfterRenameFailure",
    "destinationTransferEndExitClasses",
    "destinationTransferStartExitClasses",
    "doNotUseTempOutputFile",
    "enableDetailedReplyMessages",
    "enableMemoryAllocationChecking",
    "enableUserMetadataOptions",
    "exitClassPath",
    "exitNativeLibraryPath",
    "IOExitClasses",
    "ioIdleThreadTimeout",
    "ioQueueDepth",
    "logAuthorityChecks",
    "logCapture",
    "logCaptureFileFiles",
    "logCaptureFileSize",
    "logCaptureFilter",
    "monitorExitClasses",
    "monitorFilepathPlatformSeparator",
    "monitorGroupRetryLimit",
    "monitorMaxResourcesInPoll",
    "monitorSilenceOnTriggerFailure",
    "monitorStopOnInternalFailure",
    "protocolBridgeCredentialExitClasses",
    "publicationMDUser",
    "resourceMonitorLog",
    "sandboxRoot",
    "sourceTransferEndExitClasses",
    "sourceTransferStartExitClasses",
    "textReplacementCharacterSequence",
    "trace",
    "traceFileSize",
    "traceFiles",
    "transferRootHLQ",
    "userIdForClientConnect",
    "userSandboxes",
    "windowsService",
    "windowsServiceVersion",
    "xmlConfigReloadInterval",
};

constexpr property_table table{"agent.properties", "What one agent is and how it behaves. Read when the agent starts.",
                               entries, not_yet};

}  // namespace

const property_table& agent_properties() {
  return table;
}

}  // namespace baton
