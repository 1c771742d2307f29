// What an agent was told by its properties files, ready to use. Constant while it runs, except what reload() may
// change.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/transfer/transfer_log.hpp"
#include "common/amqp/connection.hpp"
#include "properties/layout.hpp"
#include "properties/property_set.hpp"

namespace baton::agent {

// The direct channels for data (agent/channel/).
struct data_settings {
  bool direct = false;
  std::string host;  // empty: none was named
  std::uint16_t port = 0;
  bool allow_plain = false;
  amqp::tls_files tls;
  // There is no certificate, and clear text is not for other hosts.
  bool loopback_only() const { return tls.certificate.empty() && !allow_plain; }
};

// Programs that transfers may run.
struct program_settings {
  std::vector<std::string> path;  // directories; none: no program may be run
  int threads = 5, retries_max = 9;
  std::int64_t wait_ms = 60000;
  std::size_t output_max = 10240;  // bytes
};

// Queues as sources (agent/queue/).
struct queue_settings {
  bool enabled = false, exclusive = false;
  std::uint64_t messages_max = 20000, message_bytes_max = 1048576;
};

struct settings {
  std::string name, description, coordination;  // coordination: the name of the set of configuration
  std::string qmgr, qmgr_host;                  // host: empty in bindings mode
  std::string transfer_root;
  std::string plan_directory;  // where plans of running transfers are kept
  bool bindings = true;
  int qmgr_count = 1;  // of agentQMgrUrls
  bool qmgr_randomize = false, qmgr_priority_backup = true;
  // When there are several queue managers: where the highest epoch that was seen is kept, and which transfers have
  // ended whose records stand at another one.
  std::string epoch_file, ended_file;
  data_settings data;
  program_settings programs;
  queue_settings queues;
  std::uint64_t bandwidth_limit = 0;  // bytes per second of all transfers that are sent; 0: none
  std::uint32_t chunk_bytes = 262144, window_frames = 16, checkpoint_frames = 64;
  bool chunk_bytes_chosen = false;  // agentChunkSize is set
  int max_source_transfers = 25, max_destination_transfers = 25, max_queued_transfers = 1000;
  std::uint64_t max_files = 0;
  std::uint64_t items_per_progress = 50;
  int io_threads = 4;
  std::int64_t negotiation_timeout_ms = 250000, ack_timeout_ms = 60000, capacity_retry_ms = 30000,
               recovery_retry_ms = 60000, recovery_timeout_ms = -1;
  int ack_timeout_retries = 5;
  transfer::transfer_log_level transfer_log = transfer::transfer_log_level::info;
  bool fail_at_capacity = false, fail_on_first_failure = false;
  std::int64_t status_rate_limit_ms = 30000, status_rate_min_ms = 300000, status_jitter_ms = 3000;
  std::int64_t qmgr_retry_ms = 30000, shutdown_timeout_ms = 10000;
  std::uint32_t idle_timeout_ms = 8000;
  bool highly_available = false;
  std::string instance;                // instanceName, or the host's name
  int instance_priority = 100;         // what this instance is worth among those of the agent, 0 to 127
  std::int64_t hang_back_ms = 0;       // how long it lets others be first, that are worth more; 0: it does not
  std::vector<std::string> preferred;  // preferredInstances
  bool fail_back = false;
  std::int64_t fail_back_delay_ms = 60000;
  std::int64_t lock_renew_ms = 1000, lock_lease_ms = 4000, standby_poll_ms = 5000, consumer_sleep_ms = 30000;
  std::int64_t standby_publish_ms = 300000, standby_expiry_ms = 30000, standby_discard_ms = 600000;
};

// What is wrong with combinations of values, each with the sum; empty: nothing.
std::vector<std::string> faults_of(const settings& s);

// From the agent's properties; `where` gives the folders.
settings make_settings(const property_set& agent, const layout& where, const std::string& coordination);

}  // namespace baton::agent
