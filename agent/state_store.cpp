#include "agent/state_store.hpp"

#include "common/formats/queues.hpp"
#include "common/log.hpp"
#include "common/random.hpp"
#include "properties/atomic_file.hpp"

namespace baton::agent {
namespace {
constexpr logger log{"StateStore"};
}

state_store::state_store(std::string agent, std::string quarantine_directory, found on_found)
    : agent_(std::move(agent)),
      quarantine_directory_(std::move(quarantine_directory)),
      on_found_(std::move(on_found)) {}

void state_store::attach(links* through) {
  links_ = through;
  held_.clear();
}

void state_store::save(const formats::source_record& record, std::function<void(bool)> stored) {
  if (links_ == nullptr) return;
  written_[record.transfer_id] = record.sequence;
  amqp::message m;
  m.subject = formats::subject::source_record;
  m.body = to_json(record);
  links_->send(formats::state_queue(agent_), std::move(m), [stored](amqp::outcome how) {
    if (stored) stored(how == amqp::outcome::accepted);
  });
}

void state_store::forget(const std::string& transfer_id) {
  written_.erase(transfer_id);
  ended_.insert(transfer_id);
  if (const auto last = held_.extract(transfer_id); last && links_ != nullptr) {
    links_->settle(inbound::state, last.mapped().delivery, amqp::outcome::accepted);
  }
}

void state_store::received(amqp::delivery_id delivery, const amqp::message& content) {
  const auto record = formats::read_source_record(content.body);
  if (!record || content.subject != formats::subject::source_record) {
    quarantine(content, record ? "unknown kind of record " + content.subject : record.error().text);
    return links_->settle(inbound::state, delivery, amqp::outcome::accepted);
  }
  const std::string& id = record->transfer_id;
  if (ended_.count(id) > 0) return links_->settle(inbound::state, delivery, amqp::outcome::accepted);
  held& newest = held_[id];
  if (newest.delivery != 0) {
    const bool newer = record->sequence >= newest.sequence;
    links_->settle(inbound::state, newer ? newest.delivery : delivery, amqp::outcome::accepted);
    if (!newer) return;
  }
  newest = {record->sequence, delivery};
  if (written_.count(id) == 0) {
    written_[id] = record->sequence;
    on_found_(*record);
  }
}

void state_store::quarantine(const amqp::message& content, const std::string& why) {
  const std::string file = quarantine_directory_ + "/" + random_hex(8) + ".state";
  const auto kept = write_file_atomically(file, content.body, 0600);
  log(messages::BFGSS0034E, formats::state_queue(agent_), kept ? file : "nowhere (" + kept.error().text + ")", why);
}

}  // namespace baton::agent
