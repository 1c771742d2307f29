#include "agent/state_store.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "common/formats/queues.hpp"
#include "common/log.hpp"
#include "common/random.hpp"
#include "properties/atomic_file.hpp"

namespace baton::agent {
namespace {

constexpr logger log{"StateStore"};

amqp::message message_of(const char* subject, std::string body) {
  amqp::message m;
  m.subject = subject;
  m.body = std::move(body);
  return m;
}

}  // namespace

state_store::state_store(event_loop& loop, std::string agent, std::string quarantine_directory, handlers to,
                         std::int64_t refresh_ms)
    : loop_(loop),
      agent_(std::move(agent)),
      quarantine_directory_(std::move(quarantine_directory)),
      to_(std::move(to)),
      refresh_ms_(refresh_ms) {
  refresh();
}

state_store::~state_store() {
  loop_.cancel(refresh_timer_);
}

void state_store::mark() {
  mark_ = random_hex(8);
  auto m = message_of(formats::subject::state_mark, mark_);
  m.durable = false;
  to_.send(std::move(m), nullptr);
}

void state_store::save(const formats::source_record& record, stored done) {
  plan_is(record.transfer_id, record);
  save(sources_[record.transfer_id], record.transfer_id, record.sequence,
       message_of(formats::subject::source_record, to_json(record)), std::move(done));
}

void state_store::save(const formats::destination_record& record) {
  save(destinations_[record.transfer_id], record.transfer_id, record.sequence,
       message_of(formats::subject::destination_record, to_json(record)), nullptr);
}

void state_store::save(entry& known, const std::string& id, std::uint64_t sequence, amqp::message content,
                       stored done) {
  known.first_own = std::min(known.first_own, sequence);
  known.last_own = std::max(known.last_own, sequence);
  ++known.on_their_way;
  auto& entries = content.subject == formats::subject::source_record ? sources_ : destinations_;
  // Called by the links, which end with this object.
  to_.send(std::move(content), [this, &entries, done, id](amqp::outcome how) {
    const bool kept = how == amqp::outcome::accepted;
    if (!kept) {
      log(messages::BFGSS0901E, id, formats::state_queue(agent_));
      const auto its = entries.find(id);
      if (its != entries.end()) --its->second.on_their_way;
      drop_when_gone(entries, id);
    }
    if (done) done(kept);
  });
}

void state_store::save(const formats::plan_part& content, stored done) {
  plans_[content.transfer_id].parts[{content.plan_check, content.number}].known = true;
  to_.send(message_of(formats::subject::plan_part, to_bytes(content)),
           [this, done, id = content.transfer_id](amqp::outcome how) {
             const bool kept = how == amqp::outcome::accepted;
             if (!kept) log(messages::BFGSS0901E, id, formats::state_queue(agent_));
             if (done) done(kept);
           });
}

// Parts of another plan of the transfer are of no use any more.
void state_store::plan_is(const std::string& id, const formats::source_record& record) {
  const auto its = plans_.find(id);
  if (its == plans_.end() || !record.planned) return;
  const std::uint64_t check = std::stoull("0" + record.plan_check, nullptr, 16);
  its->second.check = check;
  for (auto& [key, held] : its->second.parts) {
    if (key.first != check) accept(held.delivery);
  }
}

void state_store::forget_source(const std::string& transfer_id) {
  forget(sources_, transfer_id);
}

// Behind the last of its records: one of those could not go on without it, and without them it is nothing.
void state_store::forget_plan(const std::string& transfer_id) {
  const auto its = plans_.find(transfer_id);
  if (its == plans_.end()) return;
  its->second.ended = true;
  for (auto held = its->second.parts.begin(); held != its->second.parts.end();) {
    const bool here = held->second.delivery != 0;
    accept(held->second.delivery);
    held = here ? its->second.parts.erase(held) : std::next(held);
  }
  if (its->second.parts.empty()) plans_.erase(its);
}

void state_store::forget_destination(const std::string& transfer_id) {
  forget(destinations_, transfer_id);
}

// Remembered as ended for as long as messages of it are under way.
void state_store::forget(std::map<std::string, entry>& entries, const std::string& id) {
  entry& known = entries[id];
  known.ended = true;
  accept(known.delivery);
  drop_when_gone(entries, id);
}

void state_store::drop_when_gone(std::map<std::string, entry>& entries, const std::string& id) {
  const auto its = entries.find(id);
  if (its == entries.end() || !its->second.ended || its->second.on_their_way > 0) return;
  entries.erase(its);
  if (&entries == &sources_) forget_plan(id);
}

bool state_store::quiet() const {
  const auto ended = [](const auto& one) { return one.second.ended; };
  return std::none_of(sources_.begin(), sources_.end(), ended) &&
         std::none_of(destinations_.begin(), destinations_.end(), ended) &&
         std::none_of(plans_.begin(), plans_.end(), ended);
}

std::vector<amqp::delivery_id> state_store::held(const of_transfers& sent, const of_transfers& received) const {
  std::vector<amqp::delivery_id> all;
  const auto add = [&](amqp::delivery_id one) {
    if (one != 0) all.push_back(one);
  };
  for (const auto& [id, known] : sources_) {
    if (sent(id)) add(known.delivery);
  }
  for (const auto& [id, known] : destinations_) {
    if (received(id)) add(known.delivery);
  }
  for (const auto& [id, its] : plans_) {
    if (!sent(id)) continue;
    for (const auto& [key, one] : its.parts) add(one.delivery);
  }
  return all;
}

bool state_store::on_their_way() const {
  const auto some = [](const auto& one) { return one.second.on_their_way > 0; };
  return std::any_of(sources_.begin(), sources_.end(), some) ||
         std::any_of(destinations_.begin(), destinations_.end(), some);
}

void state_store::settle(const std::vector<amqp::delivery_id>& some) {
  const std::set<amqp::delivery_id> wanted(some.begin(), some.end());
  const auto look = [&](amqp::delivery_id& one) {
    if (wanted.count(one) > 0) accept(one);
  };
  for (auto* entries : {&sources_, &destinations_}) {
    for (auto& [id, known] : *entries) look(known.delivery);
  }
  for (auto& [id, its] : plans_) {
    for (auto& [key, one] : its.parts) look(one.delivery);
  }
}

void state_store::when_quiet(std::function<void()> then) {
  when_quiet_ = std::move(then);
  look_quiet();
}

void state_store::look_quiet() {
  if (!when_quiet_ || !quiet()) return;
  const auto then = std::exchange(when_quiet_, nullptr);
  then();
}

void state_store::received(amqp::delivery_id delivery, const amqp::message& content) {
  receive(delivery, content);
  look_quiet();
}

void state_store::receive(amqp::delivery_id delivery, const amqp::message& content) {
  if (content.subject == formats::subject::plan_part) {
    const auto read = formats::read_plan_part(content.body);
    if (!read) return quarantine(delivery, content, read.error().text);
    return received_part(delivery, *read);  // which makes room when the part is on disk
  }
  if (content.subject == formats::subject::source_record) {
    const auto record = formats::read_source_record(content.body);
    if (!record) return quarantine(delivery, content, record.error().text);
    to_.add_credit();
    if (!take(sources_, record->transfer_id, record->sequence, delivery)) return;
    plan_is(record->transfer_id, *record);
    return to_.source(*record);
  }
  if (content.subject == formats::subject::destination_record) {
    const auto record = formats::read_destination_record(content.body);
    if (!record) return quarantine(delivery, content, record.error().text);
    to_.add_credit();
    if (take(destinations_, record->transfer_id, record->sequence, delivery)) to_.destination(*record);
    return;
  }
  if (content.subject != formats::subject::state_mark) {
    return quarantine(delivery, content, "unknown kind of record " + content.subject);
  }
  accept(delivery);
  to_.add_credit();
  if (content.body == mark_) to_.all_read();
}

// Holds the delivery when it is the newest; true when an earlier activation wrote it and nothing newer is known.
bool state_store::take(std::map<std::string, entry>& entries, const std::string& id, std::uint64_t sequence,
                       amqp::delivery_id delivery) {
  entry& known = entries[id];
  const bool own = sequence >= known.first_own && sequence <= known.last_own;
  const bool again = known.sequence == sequence;  // given back by refresh()
  if (own || again) --known.on_their_way;
  if (known.ended || (known.sequence && sequence < *known.sequence)) {
    accept(delivery);
    drop_when_gone(entries, id);
    return false;
  }
  accept(known.delivery);
  known.sequence = sequence;
  known.delivery = delivery;
  known.held_since_ms = boot_time_ms();
  return !own && !again && (known.first_own > known.last_own || sequence > known.last_own);
}

void state_store::received_part(amqp::delivery_id delivery, const formats::plan_part& content) {
  plan& its = plans_[content.transfer_id];
  if (its.ended || (its.check && *its.check != content.plan_check)) {
    accept(delivery);
    its.parts.erase({content.plan_check, content.number});
    if (its.ended && its.parts.empty()) plans_.erase(content.transfer_id);
    return to_.add_credit();
  }
  part& held = its.parts[{content.plan_check, content.number}];
  accept(held.delivery);  // the same part twice
  held.delivery = delivery;
  held.held_since_ms = boot_time_ms();
  if (std::exchange(held.known, true)) return to_.add_credit();
  to_.part(content, [this] { to_.add_credit(); });
}

// What was held longest goes back to the queue and comes again, known by its sequence. Parts that no record came for
// are what an interrupted end of a transfer has left.
void state_store::refresh() {
  refresh_timer_ = loop_.after(refresh_ms_ / 4 + 1, [this] { refresh(); });
  for (const auto delivery : std::exchange(unkept_, {})) to_.settle(delivery, amqp::outcome::released);
  const std::int64_t before = boot_time_ms() - refresh_ms_ * 3 / 4;
  for (auto* entries : {&sources_, &destinations_}) {
    for (auto& [id, known] : *entries) {
      if (known.delivery == 0 || known.held_since_ms > before) continue;
      ++known.on_their_way;
      to_.settle(std::exchange(known.delivery, 0), amqp::outcome::released);
    }
  }
  for (auto& [id, its] : plans_) {
    const bool orphan = !its.ended && sources_.count(id) == 0;
    for (auto& [key, held] : its.parts) {
      if (held.delivery == 0 || held.held_since_ms > before) continue;
      if (orphan)
        accept(held.delivery);
      else
        to_.settle(std::exchange(held.delivery, 0), amqp::outcome::released);
    }
  }
}

void state_store::accept(amqp::delivery_id& delivery) {
  if (delivery != 0) to_.settle(std::exchange(delivery, 0), amqp::outcome::accepted);
}

void state_store::quarantine(amqp::delivery_id delivery, const amqp::message& content, const std::string& why) {
  const std::string file = quarantine_directory_ + "/" + random_hex(8) + ".state";
  const auto kept = write_file_atomically(file, content.body, 0600);
  log(messages::BFGSS0034E, formats::state_queue(agent_),
      kept ? file : "nowhere, so that it stays there: " + kept.error().text, why);
  if (kept)
    accept(delivery);
  else
    unkept_.push_back(delivery);
  to_.add_credit();
}

}  // namespace baton::agent
