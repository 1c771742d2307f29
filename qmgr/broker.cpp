#include "qmgr/broker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace baton::qmgr {

broker::broker(broker_options options) : options_(std::move(options)), ledger_(options_.memory_bytes_max) {}

void broker::restore_queue(std::uint64_t id, const std::string& name, const queue_attributes& attributes) {
  restored_[id] = &define_queue(id, name, attributes);
}

void broker::handle(event happened, std::int64_t now_ms) {
  std::visit([&](auto& one) { on(one, now_ms); }, happened);
}

store_changes broker::take_changes() {
  return std::exchange(changes_, {});
}
action_lists broker::take_actions() {
  return std::exchange(actions_, {});
}
std::vector<message_arrived> broker::take_requests() {
  return std::exchange(requests_, {});
}

queue_state* broker::find(const std::string& name) {
  const auto found = queues_.find(name);
  return found == queues_.end() ? nullptr : found->second.get();
}

queue_state& broker::define_queue(std::uint64_t id, const std::string& name, const queue_attributes& attributes) {
  auto made = std::make_unique<queue_state>();
  made->id = id;
  made->name = name;
  made->attributes = attributes;
  return *queues_.emplace(name, std::move(made)).first->second;
}

void broker::change_queue(queue_state& queue, const queue_attributes& attributes) {
  queue.attributes = attributes;
  elect(queue);
  stirred_.insert(queue.name);
}

void broker::delete_queue(const std::string& name) {
  queue_state* queue = find(name);
  if (queue == nullptr) return;
  close_links_of(*queue);
  for (const position at : queue->messages.all_positions()) remove_message(*queue, at);
  stirred_.erase(name);
  queues_.erase(name);
}

std::size_t broker::purge(queue_state& queue) {
  const auto waiting = queue.messages.ready_positions();
  for (const position at : waiting) remove_message(queue, at);
  queue.counters.dropped += waiting.size();
  return waiting.size();
}

void broker::close_links_of(queue_state& queue) {
  std::vector<link_id> links = queue.consumers;
  links.insert(links.end(), queue.browsers.begin(), queue.browsers.end());
  links.insert(links.end(), queue.producers.begin(), queue.producers.end());
  for (const link_id link : links) {
    const auto sender = producers_.find(link);
    const connection_id connection =
        sender != producers_.end() ? sender->second.connection : consumers_.at(link).connection;
    act(connection, close_link{link, {"amqp:resource-deleted", fmt::format("the queue {} was deleted", queue.name)}});
    remove_link(link);
  }
}

void broker::close_all(const fault& why) {
  for (const auto& [connection, unused] : connections_) act(connection, close_connection{why});
}

std::string broker::container_of(link_id link) const {
  const auto found = consumers_.find(link);
  if (found == consumers_.end()) return "";
  const auto connection = connections_.find(found->second.connection);
  return connection == connections_.end() ? "" : connection->second.container_id;
}

void broker::on(connection_opened& happened, std::int64_t) {
  connections_[happened.connection].container_id = std::move(happened.container_id);
}

void broker::on(connection_gone& happened, std::int64_t) {
  const auto found = connections_.find(happened.connection);
  if (found == connections_.end()) return;
  const connection_state gone = std::move(found->second);
  connections_.erase(found);
  for (const link_id link : gone.links) remove_link(link);
  for (const std::string& name : gone.temporary_queues) delete_queue(name);
  actions_.erase(happened.connection);
}

void broker::refuse_link(connection_id connection, link_id link, std::string condition, std::string text) {
  act(connection, close_link{link, {std::move(condition), std::move(text)}});
}

queue_state& broker::define_temporary(connection_id connection) {
  queue_state& made = define_queue(0, options_.temporary_name(), {});
  made.owner = connection;
  connections_[connection].temporary_queues.insert(made.name);
  return made;
}

// An owner that died may still seem to be there, and one that was paused does not know yet that it is none any more.
bool broker::take_over(queue_state& queue, std::uint64_t epoch) {
  const link_id holder = queue.consumers.front();
  const consumer& held = consumers_.at(holder);
  if (held.epoch == 0 || epoch <= held.epoch) return false;
  act(held.connection,
      close_link{holder,
                 {"amqp:link:stolen", fmt::format("the queue {} was taken with epoch {}, which is above {}", queue.name,
                                                  epoch, held.epoch)}});
  remove_consumer(holder);
  return true;
}

// Whether one more consumer cannot be let in beside the first: because of the queue, of the first, or of what it wants.
bool broker::is_held(const queue_state& queue, bool wants_exclusive) const {
  if (queue.attributes.type == queue_type::single_active) return false;
  return queue.attributes.type == queue_type::exclusive || wants_exclusive ||
         consumers_.at(queue.consumers.front()).exclusive;
}

void broker::on(consumer_attached& happened, std::int64_t) {
  const connection_id connection = happened.connection;
  const link_id link = happened.link;
  const auto refuse = [&](const char* condition, std::string text) {
    refuse_link(connection, link, condition, std::move(text));
  };
  queue_state* queue = happened.dynamic ? &define_temporary(connection) : find(happened.address);
  if (queue == nullptr) return refuse("amqp:not-found", fmt::format("there is no queue \"{}\"", happened.address));
  if (queue->owner != 0 && queue->owner != connection) {
    return refuse("amqp:resource-locked", fmt::format("{} belongs to another connection", queue->name));
  }
  if (!happened.browse && !queue->consumers.empty() && is_held(*queue, happened.exclusive) &&
      !take_over(*queue, happened.epoch)) {
    return refuse("amqp:resource-locked", fmt::format("the queue {} is held exclusively by {}", queue->name,
                                                      container_of(queue->consumers.front())));
  }
  consumer& made = consumers_[link];
  made.connection = connection;
  made.queue = queue;
  made.browse = happened.browse;
  made.presettled = happened.presettled;
  made.priority = happened.priority;
  made.epoch = happened.epoch;
  made.exclusive = happened.exclusive;
  connections_[connection].links.insert(link);
  (happened.browse ? queue->browsers : queue->consumers).push_back(link);
  elect(*queue);
  act(connection, accept_link{link, queue->name});
}

void broker::on(producer_attached& happened, std::int64_t) {
  queue_state* queue = find(happened.address);
  if (queue == nullptr && happened.address != management_address) {
    return refuse_link(happened.connection, happened.link, "amqp:not-found",
                       fmt::format("there is no queue \"{}\"", happened.address));
  }
  producer& made = producers_[happened.link];
  made.connection = happened.connection;
  made.queue = queue;
  connections_[happened.connection].links.insert(happened.link);
  if (queue != nullptr) queue->producers.insert(happened.link);
  act(happened.connection, accept_link{happened.link, happened.address});
  credit_due_.insert(happened.link);
}

void broker::on(link_gone& happened, std::int64_t) {
  remove_link(happened.link);
}

void broker::remove_link(link_id link) {
  remove_consumer(link);
  remove_producer(link);
}

void broker::remove_consumer(link_id link) {
  const auto found = consumers_.find(link);
  if (found == consumers_.end()) return;
  const consumer gone = std::move(found->second);
  consumers_.erase(found);
  if (const auto connection = connections_.find(gone.connection); connection != connections_.end()) {
    connection->second.links.erase(link);
  }
  queue_state& queue = *gone.queue;
  std::erase(queue.consumers, link);
  std::erase(queue.browsers, link);
  for (const auto& [number, at] : gone.unsettled) {
    // One that never left was not a delivery that failed.
    if (!gone.unsent.contains(number)) ++queue.messages.held(at).head.delivery_count;
    queue.messages.put_back(at);
  }
  elect(queue);
  stirred_.insert(queue.name);
}

void broker::remove_producer(link_id link) {
  const auto found = producers_.find(link);
  if (found == producers_.end()) return;
  found->second.credit.forget(ledger_);
  if (found->second.queue != nullptr) found->second.queue->producers.erase(link);
  if (const auto connection = connections_.find(found->second.connection); connection != connections_.end()) {
    connection->second.links.erase(link);
  }
  producers_.erase(found);
  credit_due_.erase(link);
}

// The active consumer stays until it goes; then the highest priority is next, and the longest waiting of those.
void broker::elect(queue_state& queue) {
  if (queue.attributes.type != queue_type::single_active) {
    queue.active = 0;
    return;
  }
  if (std::find(queue.consumers.begin(), queue.consumers.end(), queue.active) != queue.consumers.end()) return;
  const auto next = std::max_element(queue.consumers.begin(), queue.consumers.end(), [&](link_id a, link_id b) {
    return consumers_.at(a).priority < consumers_.at(b).priority;
  });
  queue.active = next == queue.consumers.end() ? 0 : *next;
}

}  // namespace baton::qmgr
