#include "agent/settings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/text.hpp"
#include "properties/qmgr_urls.hpp"

namespace baton::agent {

namespace {

data_settings make_data_settings(const property_set& agent) {
  data_settings s;
  s.direct = agent.boolean("agentDataDirect");
  s.host = agent.text("agentDataHost");
  s.port = static_cast<std::uint16_t>(agent.integer("agentDataPort"));
  s.allow_plain = agent.boolean("agentDataAllowPlain");
  s.tls = {agent.text("agentSslCertificate"), agent.text("agentSslKey"), agent.text("agentSslTrustStore")};
  return s;
}

program_settings make_program_settings(const property_set& agent) {
  program_settings s;
  for (const std::string& directory : split(agent.text("commandPath"), ':')) {
    if (!directory.empty()) s.path.push_back(directory);
  }
  s.threads = static_cast<int>(agent.integer("maxCommandHandlerThreads"));
  s.retries_max = static_cast<int>(agent.integer("maxCommandRetries"));
  s.wait_ms = agent.milliseconds("maxCommandWait");
  s.output_max = static_cast<std::size_t>(agent.integer("maxCommandOutput"));
  return s;
}

queue_settings make_queue_settings(const property_set& agent) {
  queue_settings s;
  s.enabled = agent.boolean("enableQueueInputOutput");
  s.exclusive = agent.boolean("exclusive");
  s.messages_max = static_cast<std::uint64_t>(agent.integer("maxMessagesForTransfer"));
  s.message_bytes_max = static_cast<std::uint64_t>(agent.integer("maxInputOutputMessageLength"));
  return s;
}

// Of a list the first is worth most, and who is not in it less than all that are. Without a list instancePriority
// counts; who sets neither lets nobody be first.
void add_preference(const property_set& agent, settings& s) {
  constexpr int most = 127;
  constexpr std::int64_t place_ms = 250, point_ms = 10;  // two that are apart by one are never as quick as each other
  for (const std::string& name : split(agent.text("preferredInstances"), ',')) s.preferred.push_back(trim(name));
  s.instance_priority = static_cast<int>(agent.integer("instancePriority"));
  if (s.preferred.empty()) {
    if (agent.is_set("instancePriority")) s.hang_back_ms = (most - s.instance_priority) * point_ms;
    return;
  }
  const auto own = std::find(s.preferred.begin(), s.preferred.end(), s.instance);
  const auto place = static_cast<int>(own - s.preferred.begin());
  s.hang_back_ms = place * place_ms;
  s.instance_priority = own != s.preferred.end() ? most - place : std::min(s.instance_priority, most - place);
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace

settings make_settings(const property_set& agent, const layout& where, const std::string& coordination) {
  settings s;
  s.name = agent.text("agentName");
  s.description = agent.text("agentDesc");
  s.coordination = coordination;
  s.qmgr = agent.text("agentQMgr");
  s.qmgr_host = agent.text("agentQMgrHost");
  s.bindings = !agent.is_set("agentQMgrHost") && agent.text("agentQMgrUrls").empty();
  if (const auto urls = parse_qmgr_urls(agent.text("agentQMgrUrls"))) s.qmgr_count = static_cast<int>(urls->size());
  s.qmgr_randomize = agent.boolean("agentQMgrRandomize");
  s.qmgr_priority_backup = agent.boolean("agentQMgrPriorityBackup");
  s.epoch_file = (where.agent_run(coordination, s.name) / "agent.epoch").string();
  s.ended_file = (where.agent_run(coordination, s.name) / "agent.ended").string();
  s.transfer_root = agent.text("transferRoot").empty() ? home_directory().string() : agent.text("transferRoot");
  s.fail_on_first_failure = agent.boolean("failTransferOnFirstFailure");
  s.plan_directory = (where.agent_run(coordination, s.name) / "transfers").string();
  s.chunk_bytes = static_cast<std::uint32_t>(agent.integer("agentChunkSize"));
  s.chunk_bytes_chosen = agent.is_set("agentChunkSize");
  s.window_frames = static_cast<std::uint32_t>(agent.integer("agentWindowSize"));
  s.checkpoint_frames = static_cast<std::uint32_t>(agent.integer("agentCheckpointInterval")) * s.window_frames;
  s.data = make_data_settings(agent);
  s.programs = make_program_settings(agent);
  s.queues = make_queue_settings(agent);
  s.bandwidth_limit = static_cast<std::uint64_t>(agent.integer("agentBandwidthLimit"));
  s.max_source_transfers = static_cast<int>(agent.integer("maxSourceTransfers"));
  s.max_destination_transfers = static_cast<int>(agent.integer("maxDestinationTransfers"));
  s.max_queued_transfers = static_cast<int>(agent.integer("maxQueuedTransfers"));
  s.max_files = static_cast<std::uint64_t>(agent.integer("maxFilesForTransfer"));
  s.items_per_progress = static_cast<std::uint64_t>(agent.integer("itemsPerProgressMessage"));
  s.io_threads = static_cast<int>(agent.integer("ioThreadPoolSize"));
  s.negotiation_timeout_ms = agent.milliseconds("maxTransferNegotiationTime");
  s.ack_timeout_ms = agent.milliseconds("transferAckTimeout");
  s.ack_timeout_retries = static_cast<int>(agent.integer("transferAckTimeoutRetries"));
  s.capacity_retry_ms = agent.milliseconds("senderTransferRetryInterval");
  s.recovery_retry_ms = agent.milliseconds("recoverableTransferRetryInterval");
  s.recovery_timeout_ms = agent.milliseconds("transferRecoveryTimeout");
  s.fail_at_capacity = agent.boolean("failTransferWhenCapacityReached");
  s.transfer_log = transfer::transfer_log_level_of(agent.text("logTransfer"));
  s.status_rate_limit_ms = agent.milliseconds("agentStatusPublishRateLimit");
  s.status_rate_min_ms = agent.milliseconds("agentStatusPublishRateMin");
  s.status_jitter_ms = agent.milliseconds("agentStatusJitterTolerance");
  s.qmgr_retry_ms = agent.milliseconds("agentQMgrRetryInterval");
  s.shutdown_timeout_ms = agent.milliseconds("immediateShutdownTimeout");
  s.idle_timeout_ms = static_cast<std::uint32_t>(agent.milliseconds("agentQMgrIdleTimeout"));
  s.highly_available = agent.boolean("highlyAvailable");
  s.instance = agent.text("instanceName").empty() ? host_name() : agent.text("instanceName");
  add_preference(agent, s);
  s.fail_back = agent.boolean("failBack");
  s.fail_back_delay_ms = agent.milliseconds("failBackDelay");
  s.lock_renew_ms = agent.milliseconds("lockRenewInterval");
  s.lock_lease_ms = agent.milliseconds("lockLease");
  s.standby_poll_ms = agent.milliseconds("standbyPollInterval");
  s.consumer_sleep_ms = agent.milliseconds("consumerSleepTime");
  s.standby_publish_ms = agent.milliseconds("standbyStatusPublishInterval");
  s.standby_expiry_ms = agent.milliseconds("standbyStatusExpiry");
  s.standby_discard_ms = agent.milliseconds("standbyStatusDiscardTime");
  return s;
}

std::vector<std::string> faults_of(const settings& s) {
  std::vector<std::string> found;
  if (const auto end = s.qmgr_host.find("://"); end != std::string::npos) {
    const std::string scheme = s.qmgr_host.substr(0, end);
    if (s.highly_available && scheme != "amqp" && scheme != "amqps") {
      found.push_back(
          fmt::format("highlyAvailable=true needs a queue manager over AMQP or AMQPS: agentQMgrHost says {}", scheme));
    } else {
      found.push_back(fmt::format("agentQMgrHost is the name of a host, not a URL: found {}", s.qmgr_host));
    }
  }
  if (std::any_of(s.preferred.begin(), s.preferred.end(), [](const std::string& name) { return name.empty(); })) {
    found.push_back(
        "preferredInstances has an empty name: it is a list of names of instances with commas between them");
  }
  if (s.preferred.size() > 64) found.push_back("preferredInstances has more than 64 names");
  if (s.lock_lease_ms < 3 * s.lock_renew_ms) {
    found.push_back(
        fmt::format("lockLease ({} ms) is less than 3 x lockRenewInterval (3 x {} = {} ms): one late answer "
                    "would cost the lock",
                    s.lock_lease_ms, s.lock_renew_ms, 3 * s.lock_renew_ms));
  }
  if (s.lock_lease_ms >= s.idle_timeout_ms) {
    found.push_back(
        fmt::format("lockLease ({} ms) is not shorter than agentQMgrIdleTimeout ({} ms): a lost queue manager "
                    "would be noticed before the lease is over",
                    s.lock_lease_ms, s.idle_timeout_ms));
  }
  if (s.standby_discard_ms < 2 * s.standby_publish_ms) {
    found.push_back(
        fmt::format("standbyStatusDiscardTime ({} s) is less than 2 x standbyStatusPublishInterval (2 x {} = {} "
                    "s): one lost status would remove an instance from the list",
                    s.standby_discard_ms / 1000, s.standby_publish_ms / 1000, s.standby_publish_ms / 500));
  }
  if (s.standby_poll_ms > s.consumer_sleep_ms) {
    found.push_back(
        fmt::format("standbyPollInterval ({} ms) is longer than consumerSleepTime ({} ms), which is what it is "
                    "raised to",
                    s.standby_poll_ms, s.consumer_sleep_ms));
  }
  if (s.data.direct && s.data.loopback_only() && !s.data.host.empty() && !is_loopback(s.data.host)) {
    found.push_back(fmt::format(
        "agentDataHost={} would receive file data in clear text from other hosts: set agentSslCertificate, agentSslKey "
        "and agentSslTrustStore, or agentDataAllowPlain=true, or agentDataDirect=false",
        s.data.host));
  }
  return found;
}

}  // namespace baton::agent
