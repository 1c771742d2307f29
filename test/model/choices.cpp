// What can happen next, its name, and when two states are the same.
#include <algorithm>

#include "test/model/world.hpp"

namespace baton::lock {
// Everything in a machine that a later step depends on, with times counted from now. Not in it: the state of the
// jitter (which is nothing for waits this short), and for how long the connection lives (tens of seconds matter).
struct machine_key {
  template <class Sink>
  static void write(const machine& m, std::int64_t now, Sink&& sink) {
    const bool timed = m.holds() || m.state_ == state::claiming;
    for (const auto value :
         {static_cast<std::int64_t>(m.state_), m.wake_ < 1000 ? m.wake_ - now : -99, timed ? m.deadline_ - now : 0,
          m.holds() ? std::max<std::int64_t>(m.reissue_at_ - now, 0) : 0,
          m.holds() || m.state_ == state::stepping_down ? std::max<std::int64_t>(m.alone_at_ - now, 0) : 0})
      sink(value);
    for (const auto value :
         {m.seen_, m.newest_.epoch, m.newest_.sequence, m.epoch_, m.sequence_, m.reissued_, m.confirm_})
      sink(static_cast<std::int64_t>(value));
    sink(m.connecting_ | m.claim_accepted_ << 1 | m.claim_back_ << 2 | m.reissue_accepted_ << 3 | m.reissue_back_ << 4 |
         m.released_ << 5 | m.newest_.released << 6 | m.newest_.moved << 7 | m.aside_ << 8 | m.moves_ << 9 |
         m.gave_way_ << 10 | m.led_ << 11 | m.consumer_priority_ << 12 | static_cast<int>(m.where_) << 13);
    sink(std::min(m.failures_, 3));
    for (const auto& [sequence, sent] : m.under_way_) {
      sink(static_cast<std::int64_t>(sequence));
      sink(sent - now);
    }
    sink(-98);
    for (const auto& h : m.held_) {
      sink(static_cast<std::int64_t>(h.id));
      sink(static_cast<std::int64_t>(h.sequence) << 1 | h.durable);
    }
  }
};
}  // namespace baton::lock

namespace baton::model {
namespace {
constexpr const char* names[] = {"takes",
                                 "syncs",
                                 "reads",
                                 "reads an answer",
                                 "notices",
                                 "ticks",
                                 "time",
                                 "thaws",
                                 "is quiet",
                                 "starts",
                                 "takes over",
                                 "commits",
                                 "arrives",
                                 "drop",
                                 "freezes",
                                 "is killed",
                                 "the broker restarts",
                                 "is stopped",
                                 "gives the lock back"};

std::string text_of(const lock::token& t) {
  std::string text = "token " + std::to_string(t.epoch) + "." + std::to_string(t.sequence) + " of " + t.run;
  return t.epoch == 0 ? "seed of " + t.run : t.moved ? "moved " + text : t.released ? "released " + text : text;
}

std::string text_of(const operation& o) {
  switch (o.what) {
    case operation::attach:
      return "attach";
    case operation::send:
      return text_of(o.sent.what);
    case operation::settle:
      return "settle";
    case operation::close:
      break;
  }
  return "close";
}

// Distances in time that have passed are all the same, and so are those before the longest that matters.
std::int64_t left(std::int64_t until, std::int64_t now) {
  return std::max<std::int64_t>(until - now, 0);
}
}  // namespace

bool world::may_be_dropped(const connection& c) const {
  const process& p = processes[static_cast<std::size_t>(c.owner)];
  return c.closed || (p.frozen && now >= p.frozen_at + detection);
}

bool world::may_advance() const {
  if (is.time_max >= 0 && now - began >= is.time_max) return false;
  return std::none_of(processes.begin(), processes.end(),
                      [&](const process& p) { return !p.frozen && p.machine.wake_ms() <= now; });
}

void world::process_choices(int owner, std::vector<choice>& out) const {
  const process& p = processes[static_cast<std::size_t>(owner)];
  if (p.frozen) return out.push_back({kind::thaw, owner});
  const connection* c = current(owner);
  if (c != nullptr && !c->buffer.empty()) out.push_back({kind::read, owner});
  if (c != nullptr && !c->answers.empty()) out.push_back({kind::answer, owner});
  if (c != nullptr && !c->open) out.push_back({kind::notice, owner});
  if (p.machine.wake_ms() <= now) out.push_back({kind::tick, owner});
  const auto state = p.machine.state();
  if (p.quiet_due && state == lock::state::stepping_down) out.push_back({kind::quiet, owner});
  if (state == lock::state::stopped) out.push_back({kind::revive, owner});
}

void world::fault_choices(std::vector<choice>& out) const {
  for (const connection& c : connections) {
    if (!c.open) continue;
    if (may_be_dropped(c) || (faults_left > 0 && is.drops)) out.push_back({kind::drop, c.id});
  }
  if (faults_left == 0) return;
  if (is.restarts) out.push_back({kind::restart, 0});
  for (int i = 0; i < is.instances; ++i) {
    const process& p = processes[static_cast<std::size_t>(i)];
    if (p.frozen) continue;
    if (is.freezes) out.push_back({kind::freeze, i});
    if (is.kills) out.push_back({kind::kill, i});
    const auto state = p.machine.state();
    if (is.stops && state != lock::state::stopped && state != lock::state::stepping_down)
      out.push_back({kind::stop, i});
    if (is.asides && state == lock::state::active) out.push_back({kind::aside, i});
  }
}

std::vector<choice> world::choices() const {
  std::vector<choice> out;
  for (const connection& c : connections) {
    if (!c.open) continue;
    if (!c.under_way.empty()) out.push_back({kind::take, c.id});
    if (std::any_of(queue.begin(), queue.end(),
                    [&](const message& m) { return m.from == c.id && m.durable && !m.synced; }))
      out.push_back({kind::sync, c.id});
  }
  for (int i = 0; i < is.instances; ++i) process_choices(i, out);
  for (int i = 0; i < static_cast<int>(works.size()); ++i) {
    const work& w = works[static_cast<std::size_t>(i)];
    const process& p = processes[static_cast<std::size_t>(w.owner)];
    if (!w.arrived) out.push_back({kind::arrive, i});
    if (w.done || p.life != w.life || p.frozen) continue;
    out.push_back({w.took_over ? kind::commit : kind::take_over, i});
  }
  if (may_advance()) out.push_back({kind::advance, 0});
  fault_choices(out);
  return out;
}

std::string world::describe(const choice& c) const {
  const std::string name = names[static_cast<int>(c.what)];
  const auto letter = [](int owner) { return std::string(1, static_cast<char>('A' + owner)); };
  const auto find = [&] {
    return *std::find_if(connections.begin(), connections.end(), [&](const auto& k) { return k.id == c.which; });
  };
  switch (c.what) {
    case kind::take:
      return "the broker takes from " + letter(find().owner) + ": " + text_of(find().under_way.front());
    case kind::sync:
      return "the broker has what it took from " + letter(find().owner) + " on its disk";
    case kind::drop:
      return "the broker drops " + letter(find().owner) + (find().closed ? "'s old connection" : "");
    case kind::advance:
      return "time " + std::to_string(now + 1);
    case kind::restart:
      return name;
    case kind::take_over:
    case kind::commit:
    case kind::arrive: {
      const work& w = works[static_cast<std::size_t>(c.which)];
      const std::string of = " epoch " + std::to_string(w.epoch) + " of " + letter(w.owner);
      return c.what == kind::arrive ? "at the receiver arrives a message of" + of : "work of" + of + " " + name;
    }
    case kind::read:
      if (const auto* d = std::get_if<lock::event::delivered>(&current(c.which)->buffer.front().what))
        return letter(c.which) + " reads " + text_of(d->what);
      return letter(c.which) + " reads that it is attached";
    case kind::answer:
      return letter(c.which) + " reads that its token was accepted";
    case kind::notice:
      return letter(c.which) + " notices that it was dropped";
    default:
      return letter(c.which) + " " + name;
  }
}

std::string world::outline() const {
  std::string text;
  for (int i = 0; i < is.instances; ++i) {
    const process& p = processes[static_cast<std::size_t>(i)];
    text += (i == 0 ? "" : ", ") + std::string(1, static_cast<char>('A' + i)) + " ";
    text += to_string(p.machine.state());
    if (holds(p)) text += " " + std::to_string(p.machine.epoch()) + " until " + std::to_string(p.machine.deadline_ms());
    if (p.frozen) text += " frozen";
  }
  return text;
}

namespace {
// Numbers of connections and messages are replaced by places: which numbers they had means nothing later.
struct key_text {
  const world& of;
  std::string bytes;

  void add(std::int64_t value) {
    const auto small = static_cast<std::int16_t>(value);
    bytes.push_back(static_cast<char>(small & 0xff));
    bytes.push_back(static_cast<char>(small >> 8));
  }
  std::int64_t place_of_message(std::uint64_t id) const {
    const auto found = std::find_if(of.queue.begin(), of.queue.end(), [&](const auto& m) { return m.id == id; });
    return found - of.queue.begin();
  }
  std::int64_t place_of_connection(int id) const {
    if (id == 0) return -1;
    const auto found =
        std::find_if(of.connections.begin(), of.connections.end(), [&](const auto& c) { return c.id == id; });
    return found - of.connections.begin();
  }
  void add(const lock::token& t) {
    add(static_cast<std::int64_t>(t.epoch));
    add(static_cast<std::int64_t>(t.sequence) << 1 | t.released);
    bytes += t.run;
  }
  // When a token was sent matters for as long as a lease that it may begin.
  void add_sent(std::int64_t sent) { add(left(sent + of.limits.lease_ms, of.now)); }
  void add(const process& p);
  void add(const connection& c);
};

void key_text::add(const process& p) {
  std::vector<std::int64_t> values;
  lock::machine_key::write(p.machine, of.now, [&](std::int64_t v) { values.push_back(v); });
  // The unsettled deliveries are at the end, in pairs after a mark.
  const auto mark = std::find(values.begin() + 14, values.end(), -98);
  for (auto v = values.begin(); v != values.end(); ++v) {
    const bool id = v > mark && (v - mark) % 2 == 1;
    add(id ? place_of_message(static_cast<std::uint64_t>(*v)) : *v);
  }
  add(-97);
  add(p.life);
  add(p.frozen | p.quiet_due << 1 | p.queues_open << 2);
  add(p.frozen ? left(p.frozen_at + detection, of.now) : 0);
  add(static_cast<std::int64_t>(p.epoch));
  add(left(p.alone_at, of.now));
  add_sent(p.proof);
  add(static_cast<std::int64_t>(p.claim_read));
  add(static_cast<std::int64_t>(p.seen));
}

void key_text::add(const connection& c) {
  add(c.owner << 3 | c.open | c.attached << 1 | c.closed << 2);
  for (const operation& o : c.under_way) {
    add(o.what);
    if (o.what == operation::settle) add(place_of_message(o.settled));
    if (o.what != operation::send) continue;
    add(o.sent.what);
    add(o.sent.durable);
    add_sent(o.sent.sent);
  }
  for (const auto* list : {&c.buffer, &c.answers}) {
    add(-96);
    for (const arrived& a : *list) {
      add(static_cast<std::int64_t>(a.what.index()));
      if (const auto* d = std::get_if<lock::event::delivered>(&a.what)) {
        add(place_of_message(d->id));
        add(d->what);
        add_sent(a.sent);
      } else if (const auto* accepted = std::get_if<lock::event::accepted>(&a.what)) {
        add(static_cast<std::int64_t>(accepted->epoch));
        add(static_cast<std::int64_t>(accepted->sequence));
      }
    }
  }
}
}  // namespace

std::string world::key() const {
  key_text text{*this, {}};
  text.add(faults_left);
  text.add(is.time_max < 0 ? 0 : now - began);
  for (const process& p : processes) text.add(p);
  for (const connection& c : connections) text.add(c);
  if (is.priorities) text.add(text.place_of_connection(active_consumer));
  text.add(-95);
  for (const message& m : queue) {
    text.add(m.what);
    text.add(m.durable | m.synced << 1);
    text.add(text.place_of_connection(m.at));
    if (!m.synced) text.add(text.place_of_connection(m.from));
    text.add_sent(m.sent);
  }
  text.add(-95);
  for (const auto epoch : activated) text.add(static_cast<std::int64_t>(epoch));
  for (const work& w : works) text.add(w.took_over | w.done << 1 | w.arrived << 2);
  text.add(static_cast<std::int64_t>(receiver_epoch));
  text.add(static_cast<std::int64_t>(file_epoch) << 1 | committed);
  return std::move(text.bytes);
}

}  // namespace baton::model
