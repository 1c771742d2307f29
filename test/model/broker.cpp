// The broker's side of the world.
#include <algorithm>

#include "test/model/world.hpp"

namespace baton::model {

connection* world::by_id(int id) {
  const auto found = std::find_if(connections.begin(), connections.end(), [&](const auto& c) { return c.id == id; });
  return found == connections.end() ? nullptr : &*found;
}

// One message, or all settlements that come before the next message.
void world::broker_takes(connection& c) {
  const operation first = c.under_way.front();
  c.under_way.erase(c.under_way.begin());
  switch (first.what) {
    case operation::attach: {
      c.attached = true;
      c.buffer.push_back({lock::event::connected{c.of, is.priorities}, 0});
      // Consumers are served in the order in which they attached.
      const connection copy = c;
      std::erase_if(connections, [&](const auto& other) { return other.id == copy.id; });
      connections.push_back(copy);
      break;
    }
    case operation::send:
      broker_publishes(c, first.sent);
      break;
    case operation::settle:
      std::erase_if(queue, [&](const message& m) { return m.id == first.settled && m.at == c.id; });
      if (!c.under_way.empty() && c.under_way.front().what == operation::settle) return broker_takes(c);
      break;
    case operation::close:
      return broker_drops(c.id);
  }
  broker_delivers();
}

void world::broker_publishes(connection& c, message m) {
  const bool answered = m.durable && m.what.epoch > 0;
  m.id = next_message++;
  m.from = c.id;
  m.synced = m.durable && !(answered && is.slow_sync);
  queue.push_back(m);
  if (answered && m.synced) c.answers.push_back({lock::event::accepted{c.of, m.what.epoch, m.what.sequence}, 0});
  const auto ready = [](const message& of) { return of.at == 0; };
  broker_delivers();
  while (is.length_max > 0 && std::count_if(queue.begin(), queue.end(), ready) > is.length_max)
    queue.erase(std::find_if(queue.begin(), queue.end(), ready));
}

// Nobody is pushed out; when the one that was delivered to has gone, it is the longest attached or the most preferred.
connection* world::consumer() {
  const auto may = [](const connection& c) { return c.open && c.attached; };
  if (connection* c = by_id(active_consumer); c != nullptr && may(*c)) return c;
  connection* next = nullptr;
  for (connection& c : connections) {
    if (may(c) && (next == nullptr || (is.priorities && c.owner < next->owner))) next = &c;
  }
  active_consumer = next == nullptr ? 0 : next->id;
  return next;
}

void world::broker_delivers() {
  connection* const first = consumer();
  if (first == nullptr) return;
  for (message& m : queue) {
    const auto on_the_way = std::count_if(first->buffer.begin(), first->buffer.end(), [](const arrived& a) {
      return std::holds_alternative<lock::event::delivered>(a.what);
    });
    if (on_the_way >= is.credit) return;
    if (m.at != 0) continue;
    m.at = first->id;
    if (!first->closed) first->buffer.push_back({lock::event::delivered{first->of, m.id, m.what}, m.sent});
  }
}

void world::broker_drops(int id) {
  connection* c = by_id(id);
  c->open = false;
  c->under_way.clear();
  for (message& m : queue) {
    if (m.from == id) m.synced = m.durable;
  }
  const auto held = [&](const message& m) { return m.at == id; };
  if (is.tail) std::stable_partition(queue.begin(), queue.end(), [&](const message& m) { return !held(m); });
  for (message& m : queue) {
    if (held(m)) m.at = 0;
  }
  if (c->closed) std::erase_if(connections, [&](const auto& other) { return other.id == id; });
  broker_delivers();
}

// Only what is on disk is left, and no connection.
void world::broker_restarts() {
  std::erase_if(queue, [](const message& m) { return !m.synced; });
  for (message& m : queue) m.at = 0;
  for (connection& c : connections) {
    c.open = false;
    c.under_way.clear();
  }
  std::erase_if(connections, [](const auto& c) { return c.closed; });
}

}  // namespace baton::model
