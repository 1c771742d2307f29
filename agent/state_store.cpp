#include "agent/state_store.hpp"

#include <algorithm>

#include "common/formats/queues.hpp"
#include "common/log.hpp"
#include "common/random.hpp"
#include "properties/atomic_file.hpp"

namespace baton::agent {
namespace {
constexpr logger log{"StateStore"};
}

state_store::state_store(std::string agent, std::string quarantine_directory, links& through, found on_found)
    : agent_(std::move(agent)),
      quarantine_directory_(std::move(quarantine_directory)),
      links_(through),
      on_found_(std::move(on_found)) {}

void state_store::save(const formats::source_record& record, std::function<void(bool)> stored) {
  entry& known = entries_[record.transfer_id];
  known.first_own = std::min(known.first_own, record.sequence);
  known.last_own = std::max(known.last_own, record.sequence);
  ++known.on_their_way;
  amqp::message m;
  m.subject = formats::subject::source_record;
  m.body = to_json(record);
  // Called by the links, which end before this object does.
  links_.send(formats::state_queue(agent_), std::move(m), [this, stored, id = record.transfer_id](amqp::outcome how) {
    const bool kept = how == amqp::outcome::accepted;
    if (!kept) {
      log(messages::BFGSS0901E, id, formats::state_queue(agent_));
      if (const auto its = entries_.find(id); its != entries_.end()) --its->second.on_their_way;
      drop_if_done(id);
    }
    if (stored) stored(kept);
  });
}

void state_store::forget(const std::string& transfer_id) {
  entry& known = entries_[transfer_id];
  known.ended = true;
  if (const auto held = std::exchange(known.delivery, 0)) settle(held);
  drop_if_done(transfer_id);
}

void state_store::drop_if_done(const std::string& transfer_id) {
  const auto its = entries_.find(transfer_id);
  if (its != entries_.end() && its->second.ended && its->second.on_their_way <= 0) entries_.erase(its);
}

void state_store::received(amqp::delivery_id delivery, const amqp::message& content) {
  const auto record = formats::read_source_record(content.body);
  if (!record || content.subject != formats::subject::source_record) {
    quarantine(content, record ? "unknown kind of record " + content.subject : record.error().text);
    return settle(delivery);
  }
  const std::string& id = record->transfer_id;
  entry& known = entries_[id];
  const bool own = record->sequence >= known.first_own && record->sequence <= known.last_own;
  if (own) --known.on_their_way;
  if (known.ended || (known.delivery != 0 && record->sequence < known.sequence)) {
    settle(delivery);
    return drop_if_done(id);
  }
  if (known.delivery != 0) settle(known.delivery);
  known.sequence = record->sequence;
  known.delivery = delivery;
  if (!own && (known.first_own > known.last_own || record->sequence > known.last_own)) on_found_(*record);
}

void state_store::settle(amqp::delivery_id delivery) {
  links_.settle(inbound::state, delivery, amqp::outcome::accepted);
}

void state_store::quarantine(const amqp::message& content, const std::string& why) {
  const std::string file = quarantine_directory_ + "/" + random_hex(8) + ".state";
  const auto kept = write_file_atomically(file, content.body, 0600);
  log(messages::BFGSS0034E, formats::state_queue(agent_), kept ? file : "nowhere (" + kept.error().text + ")", why);
}

}  // namespace baton::agent
