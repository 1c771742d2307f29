#include "common/amqp/proton_links.hpp"

#include <fmt/format.h>

#include <map>
#include <proton/delivery_mode.hpp>
#include <proton/error_condition.hpp>
#include <proton/receiver_options.hpp>
#include <proton/sender_options.hpp>
#include <proton/source.hpp>
#include <proton/source_options.hpp>
#include <proton/symbol.hpp>
#include <proton/target.hpp>
#include <proton/value.hpp>
#include <utility>

#include "common/amqp/proton_message.hpp"

namespace baton::amqp {

proton::session proton_links::begin_session(proton::connection& through) {
  proton::session session = through.open_session();
  ++sessions_;
  return session;
}

std::string proton_links::name_of(link_id link) const {
  return fmt::format("{}-{}", name_, link);
}

link_id proton_links::id_of(const proton::link& link) {
  const std::string name = link.name();
  return static_cast<link_id>(std::stoul(name.substr(name.rfind('-') + 1)));
}

void proton_links::make_receiver(proton::connection& through, link_id link, const receiver_options& options) {
  // Asked for what it does not have, such a queue manager would do something else instead, and not say so.
  if (options.browse && !speech_.can_browse()) {
    return listener_.ended(link, {errc::not_permitted, options.address + ": this queue manager cannot browse"});
  }
  if (options.dynamic && !speech_.has_dynamic_queues()) {
    return listener_.ended(link, {errc::not_permitted, "this queue manager makes no temporary queues"});
  }
  const std::string address = options.dynamic ? std::string() : speech_.address_of(options.address);
  proton::source_options source;
  if (options.dynamic) source.dynamic(true);
  if (!options.dynamic) source.address(address);
  if (options.browse) source.distribution_mode(proton::source::COPY);
  proton::receiver_options wanted;
  wanted.name(name_of(link)).source(source).credit_window(0).auto_accept(false);
  if (options.stream) wanted.delivery_mode(proton::delivery_mode::AT_MOST_ONCE);
  std::map<proton::symbol, proton::value> about;
  if (options.priority) about["priority"] = *options.priority;
  if (options.epoch > 0) about["epoch"] = options.epoch;
  if (options.exclusive) about["exclusive"] = std::uint64_t{1};
  if (!about.empty()) wanted.properties(about);
  auto& made = receivers_[link];
  made.options = options;
  made.session = begin_session(through);
  made.link = made.session.open_receiver(address, wanted);
  made.link.add_credit(options.credit);
}

void proton_links::expect_sender(link_id link, const std::string& queue, bool stream) {
  senders_[link].queue = queue;
  senders_[link].stream = stream;
}

void proton_links::attach_sender(proton::connection& through, link_id link) {
  const auto found = senders_.find(link);
  if (found == senders_.end()) return;  // dropped meanwhile
  sending& made = found->second;
  proton::sender_options wanted;
  wanted.name(name_of(link));
  if (made.stream) wanted.delivery_mode(proton::delivery_mode::AT_MOST_ONCE);
  made.session = begin_session(through);
  made.link = made.session.open_sender(speech_.address_of(made.queue), wanted);
}

void proton_links::refuse_sender(link_id link, const error& why) {
  if (senders_.erase(link) > 0) listener_.ended(link, why);
}

void proton_links::on_receiver_open(proton::receiver& r) {
  const auto found = receivers_.find(id_of(r));
  if (found == receivers_.end()) return;
  const receiver_options& options = found->second.options;
  answered(found->first, options.dynamic ? "" : options.address, r.source().address());
}

void proton_links::on_sender_open(proton::sender& s) {
  const auto found = senders_.find(id_of(s));
  if (found == senders_.end()) return;
  const std::string address = s.target().address();
  found->second.open = !address.empty();
  answered(found->first, found->second.queue, address);
}

void proton_links::answered(link_id link, const std::string& asked, const std::string& address) {
  if (address.empty()) return;  // a refusal: the reason follows in the peer's detach
  const std::string got = speech_.queue_of(address);
  if (asked.empty() || got == asked) return listener_.opened(link, got);
  drop(link);
  listener_.ended(link, {errc::not_found, fmt::format("asked for {}, the queue manager gave {}", asked, got)});
}

void proton_links::on_link_end(const proton::link& link, const proton::error_condition& condition) {
  end(id_of(link), condition);
}

void proton_links::on_session_end(const proton::session& session, const proton::error_condition& condition) {
  for (const auto& [link, via] : senders_) {
    if (via.session == session) return end(link, condition);
  }
  for (const auto& [link, from] : receivers_) {
    if (from.session == session) return end(link, condition);
  }
}

void proton_links::end(link_id link, const proton::error_condition& condition) {
  std::string queue;
  if (const auto s = senders_.find(link); s != senders_.end())
    queue = s->second.queue;
  else if (const auto r = receivers_.find(link); r != receivers_.end())
    queue = r->second.options.address;
  else
    return;  // dropped before
  drop(link);
  listener_.ended(link, to_error(condition, queue, speech_));
}

// The end of the session ends the link with it, and gives back what the link held on every broker; a detach alone does
// not on RabbitMQ.
void proton_links::drop(link_id link) {
  std::erase_if(deliveries_, [link](const auto& entry) { return entry.second.first == link; });
  if (auto s = senders_.extract(link); s && s.mapped().session) s.mapped().session.close();
  if (auto r = receivers_.extract(link)) r.mapped().session.close();
}

void proton_links::drop_all() {
  deliveries_.clear();
  for (auto& [link, via] : senders_) {
    if (via.session) via.session.close();
  }
  for (auto& [link, from] : receivers_) from.session.close();
  senders_.clear();
  receivers_.clear();
}

void proton_links::forget_all() {
  senders_.clear();
  receivers_.clear();
  deliveries_.clear();
  sessions_ = 0;
}

void proton_links::send(link_id link, send_id id, message&& content) {
  const auto found = senders_.find(link);
  if (found == senders_.end()) return listener_.settled(id, outcome::released);
  found->second.waiting.emplace_back(id, std::move(content));
  pump(found->second);
}

void proton_links::on_sendable(proton::sender& s) {
  if (const auto found = senders_.find(id_of(s)); found != senders_.end()) pump(found->second);
}

void proton_links::pump(sending& via) {
  while (via.open && !via.waiting.empty() && via.link.credit() > 0) {
    auto [id, content] = std::move(via.waiting.front());
    via.waiting.pop_front();
    amqp::send(via.link, id, content, speech_);
  }
}

void proton_links::on_outcome(const proton::tracker& tracker, outcome how) {
  if (senders_.contains(id_of(tracker.sender()))) listener_.settled(sent_as(tracker), how);
}

void proton_links::on_message(proton::delivery& delivery, proton::message& content) {
  const link_id link = id_of(delivery.receiver());
  const auto found = receivers_.find(link);
  if (found == receivers_.end()) return;  // dropped: the end of its session gives the message back
  const delivery_id id = ++last_delivery_;
  const bool stream = found->second.options.stream;
  stream ? delivery.accept() : (void)deliveries_.emplace(id, std::pair{link, delivery});
  listener_.arrived(link, id, from_proton(content, speech_, stream));
}

void proton_links::settle(delivery_id delivery, outcome how) {
  const auto found = deliveries_.find(delivery);
  if (found == deliveries_.end()) return;
  proton::delivery& held = found->second.second;
  switch (speech_.outcome_to_wire(how)) {
    case outcome::accepted:
      held.accept();
      break;
    case outcome::rejected:
      held.reject();
      break;
    case outcome::released:
      held.release();
      break;
    case outcome::modified:
      held.modify();
      break;
  }
  deliveries_.erase(found);
}

void proton_links::add_credit(link_id link, std::uint32_t count) {
  if (const auto found = receivers_.find(link); found != receivers_.end()) found->second.link.add_credit(count);
}

void proton_links::drain(link_id link) {
  const auto found = receivers_.find(link);
  if (found != receivers_.end() && !std::exchange(found->second.draining, true)) found->second.link.drain();
}

void proton_links::on_drained(const proton::receiver& r) {
  const link_id link = id_of(r);
  const auto found = receivers_.find(link);
  if (found != receivers_.end() && std::exchange(found->second.draining, false)) listener_.drained(link);
}

}  // namespace baton::amqp
