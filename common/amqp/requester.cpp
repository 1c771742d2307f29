#include "common/amqp/requester.hpp"

#include <fmt/format.h>

#include "common/amqp/dialect.hpp"
#include "common/random.hpp"

namespace baton::amqp {
namespace {
constexpr std::uint32_t reply_credit = 100;
constexpr const char* no_room_advice = ": see whether its disk or its memory is full, and the limits of the queue";
}  // namespace

result<std::unique_ptr<requester>> requester::connect(const connection_options& options, std::int64_t timeout_ms) {
  const dialect& speech = dialect_of(options.peer.kind);
  receiver_options replies;
  replies.dynamic = speech.has_dynamic_queues();
  if (!replies.dynamic) {
    auto queue = speech.make_reply_queue(options, timeout_ms);
    if (!queue) return queue.error();
    replies.address = *queue;
  }
  std::unique_ptr<requester> made(new requester);
  made->connection_ = std::make_unique<connection>(made->loop_, options, *made);
  replies.credit = reply_credit;
  made->replies_ = made->connection_->open_receiver(replies);
  const auto opened = made->wait([&] { return !made->reply_address_.empty(); }, timeout_ms,
                                 fmt::format("{}:{}", options.peer.host, options.peer.port));
  if (!opened) return opened.error();
  return made;
}

requester::~requester() {
  connection_.reset();
}

status requester::wait(const std::function<bool()>& done_, std::int64_t timeout_ms, const std::string& what) {
  if (lost_) return *lost_;
  const bool held = loop_.run_until([&] { return lost_ || done_(); }, timeout_ms);
  if (lost_) return *lost_;
  if (!held) return error{errc::timed_out, fmt::format("{}: no answer within {} ms", what, timeout_ms)};
  return done();
}

status requester::send(const std::string& address, message content, std::int64_t timeout_ms) {
  auto found = senders_.find(address);
  if (found == senders_.end()) found = senders_.emplace(address, connection_->open_sender(address)).first;
  const link_id link = found->second;
  const send_id id = connection_->send(link, std::move(content));
  const auto settled =
      wait([&] { return lost_links_.count(link) > 0 || outcomes_.count(id) > 0; }, timeout_ms, address);
  if (!settled && settled.error().code == errc::timed_out) {
    return error{errc::timed_out, fmt::format("{}: the queue manager is connected and has not taken the message within "
                                              "{} ms{}; it is not known whether it will have it",
                                              address, timeout_ms, no_room_advice)};
  }
  if (!settled) return settled;
  if (const auto lost = lost_links_.find(link); lost != lost_links_.end()) return lost->second;
  if (outcomes_.at(id) != outcome::accepted) {
    return error{errc::no_space, fmt::format("{}: the queue manager refused the message{}", address, no_room_advice)};
  }
  outcomes_.erase(id);
  return done();
}

result<message> requester::receive(std::int64_t timeout_ms) {
  const auto arrived = wait([&] { return !received_.empty(); }, timeout_ms, "reply");
  if (!arrived) return arrived.error();
  message first = std::move(received_.front());
  received_.pop_front();
  return first;
}

result<message> requester::request(const std::string& address, message content, std::int64_t timeout_ms) {
  const std::int64_t deadline = boot_time_ms() + timeout_ms;
  const std::string correlation = random_hex(12);
  content.reply_to = reply_address_;
  content.correlation_id = correlation;
  const auto delivered = send(address, std::move(content), timeout_ms);
  if (!delivered) return delivered.error();
  for (;;) {
    auto answer = receive(std::max<std::int64_t>(deadline - boot_time_ms(), 0));
    if (!answer || answer->correlation_id == correlation) return answer;
  }
}

void requester::connection_lost(const error& why) {
  lost_ = why;
}

void requester::link_opened(link_id link, const std::string& address) {
  if (link == replies_) reply_address_ = address;
}

void requester::link_lost(link_id link, const error& why) {
  if (link == replies_)
    lost_ = why;
  else
    lost_links_[link] = why;
}

void requester::received(link_id link, delivery_id delivery, message&& content) {
  connection_->settle(delivery, outcome::accepted);
  connection_->add_credit(link, 1);
  received_.push_back(std::move(content));
}

void requester::sent(send_id id, outcome how) {
  outcomes_[id] = how;
}

}  // namespace baton::amqp
