#include "agent/settings.hpp"

namespace baton::agent {

settings make_settings(const property_set& agent, const layout& where, const std::string& coordination) {
  settings s;
  s.name = agent.text("agentName");
  s.description = agent.text("agentDesc");
  s.coordination = coordination;
  s.qmgr = agent.text("agentQMgr");
  s.bindings = !agent.is_set("agentQMgrHost");
  s.transfer_root = agent.text("transferRoot").empty() ? home_directory().string() : agent.text("transferRoot");
  s.fail_on_first_failure = agent.boolean("failTransferOnFirstFailure");
  s.plan_directory = (where.agent_run(coordination, s.name) / "transfers").string();
  s.chunk_bytes = static_cast<std::uint32_t>(agent.integer("agentChunkSize"));
  s.window_frames = static_cast<std::uint32_t>(agent.integer("agentWindowSize"));
  s.checkpoint_frames = static_cast<std::uint32_t>(agent.integer("agentCheckpointInterval")) * s.window_frames;
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
  s.status_rate_limit_ms = agent.milliseconds("agentStatusPublishRateLimit");
  s.status_rate_min_ms = agent.milliseconds("agentStatusPublishRateMin");
  s.status_jitter_ms = agent.milliseconds("agentStatusJitterTolerance");
  s.qmgr_retry_ms = agent.milliseconds("agentQMgrRetryInterval");
  s.shutdown_timeout_ms = agent.milliseconds("immediateShutdownTimeout");
  s.connect_timeout_ms = static_cast<std::uint32_t>(agent.milliseconds("agentQMgrConnectTimeout"));
  s.idle_timeout_ms = static_cast<std::uint32_t>(agent.milliseconds("agentQMgrIdleTimeout"));
  return s;
}

}  // namespace baton::agent
