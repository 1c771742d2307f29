#include "agent/links.hpp"

#include "common/amqp/sender_cache.hpp"
#include "common/formats/queues.hpp"

namespace baton::agent {
namespace {

constexpr int receivers = 4;
// Enough that a burst of requests is looked at while the records of the first are being written.
constexpr std::uint32_t command_credit = 100, reply_credit = 200;
constexpr std::uint32_t state_credit = 64;  // parts of plans, of 256 KiB each, are among what waits

}  // namespace

class links::side : public amqp::connection_events {
 public:
  side(links& owner, event_loop& loop, const amqp::connection_options& options)
      : owner_(owner), connection_(std::make_unique<amqp::connection>(loop, options, *this)) {}

  void receive(inbound from, const std::string& address, std::uint32_t credit) {
    amqp::receiver_options options;
    options.address = address;
    options.credit = credit;
    receivers_[connection_->open_receiver(options)] = from;
  }

  void send(const std::string& address, amqp::message content, std::function<void(amqp::outcome)> settled) {
    const amqp::send_id id = senders_.send(*connection_, address, std::move(content));
    if (settled) settled_[id] = std::move(settled);
  }

  void settle(amqp::delivery_id delivery, amqp::outcome how) {
    connection_->settle(delivery, how);
    const auto link = held_.extract(delivery);
    if (link && receivers_[link.mapped()] != inbound::state) connection_->add_credit(link.mapped(), 1);
  }
  void add_credit(inbound to) {
    for (const auto& [link, from] : receivers_) {
      if (from == to) connection_->add_credit(link, 1);
    }
  }

  void close() { connection_->close(); }

 private:
  void connection_lost(const error& why) override { owner_.broke(why); }
  void link_opened(amqp::link_id link, const std::string&) override {
    if (receivers_.count(link) > 0) owner_.opened();
  }
  void link_lost(amqp::link_id link, const error& why) override {
    if (receivers_.count(link) > 0) return owner_.broke(why);
    if (const auto address = senders_.lost(link)) owner_.to_.unreachable(*address, why);
  }
  void received(amqp::link_id link, amqp::delivery_id delivery, amqp::message&& content) override {
    const auto from = receivers_.find(link);
    if (from == receivers_.end()) return;
    held_[delivery] = link;
    owner_.to_.received(from->second, delivery, std::move(content));
  }
  void sent(amqp::send_id id, amqp::outcome how) override {
    if (const auto found = settled_.extract(id)) found.mapped()(how);
  }

  links& owner_;
  std::map<amqp::link_id, inbound> receivers_;
  amqp::sender_cache senders_;
  std::map<amqp::delivery_id, amqp::link_id> held_;
  std::map<amqp::send_id, std::function<void(amqp::outcome)>> settled_;
  std::unique_ptr<amqp::connection> connection_;
};

links::links(event_loop& loop, const amqp::connection_options& options, const std::string& agent,
             std::uint32_t data_credit, handlers to)
    : to_(std::move(to)) {
  control_ = std::make_unique<side>(*this, loop, options);
  control_->receive(inbound::command, formats::command_queue(agent), command_credit);
  control_->receive(inbound::reply, formats::reply_queue(agent), reply_credit);
  control_->receive(inbound::state, formats::state_queue(agent), state_credit);
  data_ = std::make_unique<side>(*this, loop, options);
  data_->receive(inbound::data, formats::data_queue(agent), data_credit);
}

links::~links() {
  close();
}

void links::send(const std::string& address, amqp::message content, std::function<void(amqp::outcome)> settled) {
  if (!over_) control_->send(address, std::move(content), std::move(settled));
}

void links::send_data(const std::string& address, amqp::message content) {
  if (!over_) data_->send(address, std::move(content), nullptr);
}

void links::settle(inbound from, amqp::delivery_id delivery, amqp::outcome how) {
  if (!over_) (from == inbound::data ? data_ : control_)->settle(delivery, how);
}

void links::add_state_credit() {
  if (!over_) control_->add_credit(inbound::state);
}

void links::opened() {
  if (!over_ && ++open_ == receivers) to_.ready();
}

void links::broke(const error& why) {
  if (over_) return;
  close();
  to_.lost(why);
}

void links::close() {
  over_ = true;
  control_->close();
  data_->close();
}

}  // namespace baton::agent
