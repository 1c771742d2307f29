#include "agent/queue/journal.hpp"

#include <algorithm>
#include <utility>

#include "common/log.hpp"
#include "common/messages/message.hpp"

namespace baton::queue {
namespace {
constexpr logger log{"Queue"};
constexpr std::uint32_t credit = 16;  // the newest is held; others are settled as they come
}  // namespace

void journal::close() {
  for (const amqp::link_id link : {reads_, writes_}) {
    if (link != 0) through_->close_link(link);
  }
  forget();
}

void journal::open(amqp::connection& through, std::function<void()> known) {
  through_ = &through;
  known_ = std::move(known);
  newest_ = {};
  held_ = held_sequence_ = 0;
  writing_ = note_ = 0;
  written_ = nullptr;
  amqp::receiver_options wanted;
  wanted.address = queue_;
  wanted.credit = credit;
  reads_ = through.open_receiver(wanted);
  writes_ = through.open_sender(queue_);
  send({});  // what comes before it was there before
}

void journal::send(const formats::queue_journal& what) {
  amqp::message m;
  m.durable = what.sequence > 0;
  m.subject = formats::subject::queue_journal;
  m.correlation_id = run_;
  m.body = to_json(what);
  const amqp::send_id id = through_->send(writes_, std::move(m));
  (what.sequence > 0 ? writing_ : note_) = id;
}

void journal::received(amqp::delivery_id delivery, const amqp::message& content) {
  const auto read = formats::read_queue_journal(content.body);
  if (!read) log(messages::BFGTR0008W, queue_, read.error().text);
  const std::uint64_t sequence = read ? read->sequence : 0;
  if (sequence > newest_.sequence) newest_ = *read;
  amqp::delivery_id superseded = delivery;
  if (sequence > held_sequence_) {
    superseded = std::exchange(held_, delivery);
    held_sequence_ = sequence;
  }
  if (superseded != 0) {
    through_->settle(superseded, amqp::outcome::accepted);
    through_->add_credit(reads_, 1);
  }
  if (sequence > 0 || content.correlation_id != run_) return;
  if (const auto known = std::exchange(known_, nullptr)) known();
}

std::optional<bool> journal::sent(amqp::send_id id, amqp::outcome how) {
  if (id == 0 || (id != writing_ && id != note_)) return std::nullopt;
  if (id == note_) {
    note_ = 0;
    return how == amqp::outcome::accepted;
  }
  writing_ = 0;
  const auto written = std::exchange(written_, nullptr);
  if (how != amqp::outcome::accepted) return false;
  if (written) written();
  return true;
}

bool journal::is_overtaken(const std::string& transfer_id) const {
  return std::find(newest_.overtaken.begin(), newest_.overtaken.end(), transfer_id) != newest_.overtaken.end();
}

void journal::write(const std::string& transfer_id, const std::string& first, std::function<void()> written) {
  formats::queue_journal next = newest_;
  ++next.sequence;
  next.agent = agent_;
  const bool another = !next.transfer_id.empty() && next.transfer_id != transfer_id;
  if (another && next.first == first) next.overtaken.push_back(next.transfer_id);
  if (next.overtaken.size() > formats::overtaken_max) next.overtaken.erase(next.overtaken.begin());
  next.transfer_id = transfer_id;
  next.first = first;
  written_ = std::move(written);
  newest_ = next;
  send(next);
}

}  // namespace baton::queue
