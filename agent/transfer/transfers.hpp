// All transfers of one activation of an agent, both roles: admits requests by the limits, queues what is too much, and
// hands each message to the transfer that it belongs to. It lives as long as the activation; the next one adopts
// everything from STATE anew, in whatever process. Loop thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>

#include "agent/channel/direct_channels.hpp"
#include "agent/transfer/destination_transfer.hpp"
#include "agent/transfer/epoch_fence.hpp"
#include "agent/transfer/left_behind.hpp"
#include "agent/transfer/plan_collector.hpp"
#include "agent/transfer/services.hpp"
#include "agent/transfer/source_transfer.hpp"

namespace baton::transfer {

// Why a request is not taken: a result code (reference section 3.7) and a rendered message.
struct refusal {
  int result_code = 0;
  std::string text;
};

class transfers {
 public:
  transfers(services& agent, std::function<void()> became_idle);

  // Whether a request may be taken at all, looked at before its record is made. `pending`: those whose records are
  // being made at this moment.
  std::optional<refusal> check(std::size_t pending) const;
  bool knows(const std::string& transfer_id) const;
  // The place of a new request in the order in which they start, within a priority. It is kept in its record.
  std::uint64_t next_arrival();
  // A request whose record is durable: starts it or queues it.
  void admit(formats::source_record record, formats::transfer_request request);
  // What earlier activations left has been adopted: transfers start from now on.
  void begin();
  // A record of an earlier activation. It replaces what is known of the transfer: a newer record came behind an older.
  void adopt(formats::source_record record, formats::transfer_request request);
  void adopt(const formats::destination_record& record);
  // A part of a plan that an earlier activation put on STATE; `kept` when it is no longer in memory.
  void adopt(const formats::plan_part& part, std::function<void()> kept) { plans_.add(part, std::move(kept)); }
  // The source of a transfer that is received here; empty when there is none.
  std::string source_agent_of(const std::string& transfer_id) const;
  // False when there is no such transfer.
  bool cancel(const std::string& transfer_id);

  void on_negotiate(const formats::negotiate& ask);
  void on_negotiated(const formats::negotiated& answer);
  void on_ack(const formats::ack& a);
  void on_finish(const formats::finish& f);
  void on_query(const formats::transfer_query& asked);
  void on_frame(held_bytes frame);
  void unreachable(const std::string& address, const std::string& why);

  // No new transfers from now on: those under way go on, `became_idle` tells when the last one has ended.
  void drain();
  // From now on each transfer stops where little of it has to be sent again; true when all have.
  bool at_checkpoint();
  bool idle() const { return sources_.empty() && destinations_.empty(); }
  // For the published status: id -> state.
  std::map<std::string, std::string> source_states() const;
  std::map<std::string, std::string> destination_states() const;
  int queued() const { return static_cast<int>(queue_.size()); }

 private:
  struct waiting {
    formats::source_record record;
    formats::transfer_request request;
  };
  void start_next();
  void start(formats::source_record record, formats::transfer_request request);
  void end_queued(waiting entry);
  void refuse(const formats::negotiate& ask, int code, std::string text);
  destination_transfer::ended destination_end();
  void received_directly(channel::kind what, held_bytes body);
  epoch_fence::verdict judge(const std::string& peer, std::uint64_t epoch, const std::string& run);
  void check_idle();

  services& agent_;
  const std::function<void()> became_idle_;
  channel::direct_channels channels_;  // this and the next end after all that uses them
  program_runner programs_;
  queue::subscribers queues_;
  std::map<std::string, std::shared_ptr<source_transfer>> sources_;
  std::map<std::string, std::shared_ptr<destination_transfer>> destinations_;
  // Those that had begun before a takeover come first; then by falling priority, then in the order of arrival.
  std::map<std::tuple<bool, int, std::uint64_t, std::string>, waiting> queue_;
  std::uint64_t last_arrival_ = 0;
  plan_collector plans_;
  token_bucket bandwidth_;
  epoch_fence fence_;
  left_behind_remover left_behind_;
  bool begun_ = false, draining_ = false;
};

}  // namespace baton::transfer
