#include "agent/transfer/transfers.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/formats/queues.hpp"
#include "common/log.hpp"

namespace baton::transfer {
namespace {
constexpr logger log{"Transfer"};
constexpr int code_source_capacity = 44, code_source_not_permitted = 51, code_destination_not_permitted = 52;

queue::subscriber_options common_of(const services& agent) {
  queue::subscriber_options common;
  common.agent = agent.settings().name;
  common.mark_queue = formats::reply_queue(agent.settings().name);
  common.sleep_ms = agent.settings().consumer_sleep_ms;
  common.retry_ms = agent.settings().qmgr_retry_ms;
  return common;
}

}  // namespace

transfers::transfers(services& agent, std::function<void()> became_idle)
    : agent_(agent),
      became_idle_(std::move(became_idle)),
      channels_(agent.loop(), agent.pool(), agent.settings(),
                [this](channel::kind what, held_bytes body) { received_directly(what, std::move(body)); }),
      programs_(agent),
      queues_(
          agent.loop(), agent.pool(), [this] { return agent_.qmgr(); }, common_of(agent)),
      plans_(agent),
      left_behind_(agent) {}

std::optional<refusal> transfers::check(std::size_t pending) const {
  const auto& s = agent_.settings();
  if (s.max_source_transfers == 0) {
    return refusal{code_source_not_permitted, render(messages::BFGTR0016E, s.name, "source")};
  }
  const auto room = static_cast<std::size_t>(s.max_source_transfers) + static_cast<std::size_t>(s.max_queued_transfers);
  if (sources_.size() + queue_.size() + pending >= room) {
    return refusal{code_source_capacity, render(messages::BFGTR0015E, s.name, queued())};
  }
  return std::nullopt;
}

bool transfers::knows(const std::string& transfer_id) const {
  return sources_.count(transfer_id) > 0 || std::any_of(queue_.begin(), queue_.end(), [&](const auto& entry) {
           return entry.second.record.transfer_id == transfer_id;
         });
}

void transfers::admit(formats::source_record record, formats::transfer_request request) {
  if (knows(record.transfer_id)) return;
  const std::tuple place{!record.planned, -request.priority, record.arrival, record.transfer_id};
  queue_.emplace(place, waiting{std::move(record), std::move(request)});
  start_next();
}

std::uint64_t transfers::next_arrival() {
  last_arrival_ = std::max(last_arrival_ + 1, next_sequence(0, agent_.epoch()));
  return last_arrival_;
}

void transfers::begin() {
  begun_ = true;
  start_next();
}

void transfers::adopt(formats::source_record record, formats::transfer_request request) {
  if (record.peer_epoch > 0) judge(request.destination_agent, record.peer_epoch, record.peer_run);
  sources_.erase(record.transfer_id);
  std::erase_if(queue_, [&](const auto& entry) { return entry.second.record.transfer_id == record.transfer_id; });
  admit(std::move(record), std::move(request));
}

void transfers::adopt(const formats::destination_record& record) {
  judge(record.terms.source_agent, record.terms.epoch, record.terms.run);
  if (const auto faster = destinations_.find(record.transfer_id); faster != destinations_.end()) {
    return faster->second->supersede(record);  // the source has been told where to begin, and that holds
  }
  const auto made = std::make_shared<destination_transfer>(agent_, channels_, record, destination_end());
  destinations_.emplace(record.transfer_id, made);
  made->adopt();
  agent_.status_changed();
}

destination_transfer::ended transfers::destination_end() {
  return [this](const std::string& ended) {
    destinations_.erase(ended);
    agent_.status_changed();
    check_idle();
  };
}

// Says in the log once what is refused.
epoch_fence::verdict transfers::judge(const std::string& peer, std::uint64_t epoch, const std::string& run) {
  const auto verdict = fence_.judge(peer, epoch, run);
  if (verdict == epoch_fence::verdict::pass || !fence_.first_refusal(peer, epoch, run)) return verdict;
  if (verdict == epoch_fence::verdict::stale)
    log(messages::BFGTR0025W, peer, epoch, fence_.newest(peer).epoch);
  else
    log(messages::BFGTR0026W, run, peer, fence_.newest(peer).run, epoch);
  return verdict;
}

void transfers::start_next() {
  while (begun_ && !draining_ && !queue_.empty() &&
         static_cast<int>(sources_.size()) < agent_.settings().max_source_transfers) {
    auto first = queue_.extract(queue_.begin());
    start(std::move(first.mapped().record), std::move(first.mapped().request));
  }
  agent_.status_changed();
}

void transfers::start(formats::source_record record, formats::transfer_request request) {
  const std::string id = record.transfer_id;
  const source_transfer::shared of_agent{plans_, channels_, bandwidth_, programs_, queues_};
  auto made = std::make_shared<source_transfer>(agent_, of_agent, std::move(request), std::move(record),
                                                [this](const std::string& ended) {
                                                  sources_.erase(ended);
                                                  start_next();
                                                  check_idle();
                                                });
  sources_.emplace(id, made);
  made->start();
}

std::string transfers::source_agent_of(const std::string& transfer_id) const {
  const auto found = destinations_.find(transfer_id);
  return found == destinations_.end() ? std::string() : found->second->source_agent();
}

bool transfers::cancel(const std::string& transfer_id) {
  if (const auto found = sources_.find(transfer_id); found != sources_.end()) {
    const auto keep = found->second;
    keep->cancel();
    return true;
  }
  for (auto entry = queue_.begin(); entry != queue_.end(); ++entry) {
    if (entry->second.record.transfer_id != transfer_id) continue;
    auto taken = queue_.extract(entry);
    end_queued(std::move(taken.mapped()));
    return true;
  }
  return false;
}

// A queued transfer ends without having begun: it is started cancelled, so that its books close like any other's.
void transfers::end_queued(waiting entry) {
  const std::string id = entry.record.transfer_id;
  start(std::move(entry.record), std::move(entry.request));
  if (const auto found = sources_.find(id); found != sources_.end()) {
    const auto keep = found->second;
    keep->cancel();
  }
}

void transfers::on_negotiate(const formats::negotiate& ask) {
  if (ask.epoch_seen >= agent_.epoch() && !ask.run_seen.empty() && ask.run_seen != agent_.run()) {
    return agent_.outbid(ask.epoch_seen);
  }
  if (judge(ask.source_agent, ask.epoch, ask.run) != epoch_fence::verdict::pass) {
    return refuse(ask, formats::code_stale_epoch,
                  render(messages::BFGTR0029E, agent_.settings().name, ask.epoch, ask.source_agent,
                         fence_.newest(ask.source_agent).epoch));
  }
  auto found = destinations_.find(ask.transfer_id);
  if (found == destinations_.end()) {
    const auto& s = agent_.settings();
    if (s.max_destination_transfers == 0) {
      return refuse(ask, code_destination_not_permitted, render(messages::BFGTR0016E, s.name, "destination"));
    }
    if (draining_ || static_cast<int>(destinations_.size()) >= s.max_destination_transfers) {
      return refuse(ask, code_destination_capacity, render(messages::BFGTR0018E, s.name, destinations_.size()));
    }
    auto made = std::make_shared<destination_transfer>(agent_, channels_, ask, destination_end());
    found = destinations_.emplace(ask.transfer_id, std::move(made)).first;
  }
  const auto keep = found->second;
  keep->on_negotiate(ask);
}

void transfers::refuse(const formats::negotiate& ask, int code, std::string text) {
  formats::negotiated answer;
  answer.transfer_id = ask.transfer_id;
  answer.epoch = agent_.epoch();
  answer.run = agent_.run();
  answer.epoch_seen = fence_.newest(ask.source_agent).epoch;
  answer.run_seen = fence_.newest(ask.source_agent).run;
  answer.attempt = ask.attempt;
  answer.result_code = code;
  answer.text = std::move(text);
  amqp::message m;
  m.durable = false;
  m.subject = formats::subject::negotiated;
  m.body = to_json(answer);
  agent_.send(formats::reply_queue(ask.source_agent), std::move(m));
}

void transfers::on_negotiated(const formats::negotiated& answer) {
  const auto found = sources_.find(answer.transfer_id);
  if (found == sources_.end()) return;
  const auto keep = found->second;
  const std::string& peer = keep->request().destination_agent;
  if (judge(peer, answer.epoch, answer.run) != epoch_fence::verdict::pass) {
    return keep->on_stale_answer(fence_.newest(peer).epoch, fence_.newest(peer).run);
  }
  // What was refused may have been a late message of an activation before this one: then it is this run that was seen.
  const bool refused = answer.result_code == formats::code_stale_epoch;
  if (refused && answer.run_seen != agent_.run()) agent_.outbid(answer.epoch_seen);
  keep->on_negotiated(answer);
}

void transfers::on_ack(const formats::ack& a) {
  const auto found = sources_.find(a.transfer_id);
  if (found == sources_.end()) return;
  const auto keep = found->second;
  if (judge(keep->request().destination_agent, a.epoch, a.run) != epoch_fence::verdict::pass) return;
  keep->on_ack(a);
}

// What is not right on a channel is as little a reason to stop as on a queue.
void transfers::received_directly(channel::kind what, held_bytes body) {
  if (what == channel::kind::frame) return on_frame(std::move(body));
  const auto read = formats::read_ack(std::string(body));
  if (read) return on_ack(*read);
  log(messages::BFGTR0008W, "a direct channel", read.error().text);
}

void transfers::on_finish(const formats::finish& f) {
  const auto found = destinations_.find(f.transfer_id);
  const auto keep = found == destinations_.end() ? nullptr : found->second;
  if (!keep && f.directories.empty()) return;
  if (judge(keep ? keep->source_agent() : f.source_agent, f.epoch, f.run) != epoch_fence::verdict::pass) return;
  if (keep && f.attempt < keep->attempt()) return;
  if (keep) keep->on_finish(f);
  left_behind_.add(f);
}

void transfers::on_query(const formats::transfer_query& asked) {
  if (judge(asked.source_agent, asked.epoch, asked.run) != epoch_fence::verdict::pass) return;
  const auto found = destinations_.find(asked.transfer_id);
  if (found != destinations_.end() && found->second->attempt() >= asked.attempt) return;
  send_notice(agent_, asked.source_agent, asked.transfer_id, asked.attempt);
}

void transfers::on_frame(held_bytes frame) {
  const auto header = formats::read_frame_header(frame);
  if (!header) {
    log(messages::BFGTR0008W, formats::data_queue(agent_.settings().name), header.error().text);
    return;
  }
  const auto found = destinations_.find(header->transfer_id);
  if (found == destinations_.end()) return;  // of a transfer that has ended
  const auto keep = found->second;
  // A frame does not name its run; its attempt ties it to a negotiation, which did.
  const auto& newest = fence_.newest(keep->source_agent());
  if (header->epoch < newest.epoch) {
    judge(keep->source_agent(), header->epoch, newest.run);
    return;
  }
  keep->on_frame(*header, std::move(frame));
}

void transfers::unreachable(const std::string& address, const std::string& why) {
  std::vector<std::shared_ptr<source_transfer>> hit;
  for (const auto& [id, transfer] : sources_) {
    const std::string& peer = transfer->request().destination_agent;
    if (address == formats::command_queue(peer) || address == formats::data_queue(peer)) hit.push_back(transfer);
  }
  for (const auto& transfer : hit) transfer->unreachable(why);
}

bool transfers::at_checkpoint() {
  bool all = true;
  for (const auto& [id, transfer] : sources_) all &= transfer->at_checkpoint();
  for (const auto& [id, transfer] : destinations_) all &= transfer->at_checkpoint();
  return all;
}

void transfers::drain() {
  draining_ = true;
  check_idle();
}

void transfers::check_idle() {
  if (draining_ && idle()) became_idle_();
}

std::map<std::string, std::string> transfers::source_states() const {
  std::map<std::string, std::string> states;
  for (const auto& [id, transfer] : sources_) states[id] = to_string(transfer->state());
  return states;
}

std::map<std::string, std::string> transfers::destination_states() const {
  std::map<std::string, std::string> states;
  for (const auto& [id, transfer] : destinations_) states[id] = to_string(transfer->state());
  return states;
}

}  // namespace baton::transfer
