// The instances' side of the world, and what must hold in every state.
#include "test/model/world.hpp"

#include <algorithm>
#include <limits>

namespace baton::model {
namespace {
constexpr lock::limits short_limits{.renew_interval_ms = 1,
                                    .lease_ms = 3,
                                    .reissue_interval_ms = 5,
                                    .seed_interval_ms = 9,
                                    .poll_interval_ms = 2,
                                    .sleep_time_ms = 4,
                                    .reconnect_first_ms = 1,
                                    .reconnect_max_ms = 2,
                                    .step_down_ms = 2};

// What tells this process start from all others: a letter for the instance, a number for the start.
std::string run_of(int owner, int life) {
  return {static_cast<char>('A' + owner), static_cast<char>('0' + life)};
}

lock::machine machine_of(lock::limits limits, bool preferred, int owner, int life) {
  if (preferred) limits.hang_back_ms = 2 * owner + 1;
  return lock::machine(limits, run_of(owner, life), 1);
}
}  // namespace

world::world(const rules& r) : is(r), limits(short_limits), faults_left(r.faults) {
  for (int i = 0; i < r.instances; ++i) {
    processes.push_back({.machine = machine_of(limits, r.preferred, i, 1)});
    start(i);
  }
}

void world::start(int owner) {
  step(owner, lock::event::start{});
}

connection* world::current(int owner) {
  const auto found = std::find_if(connections.begin(), connections.end(),
                                  [&](const auto& c) { return c.owner == owner && !c.closed; });
  return found == connections.end() ? nullptr : &*found;
}

const connection* world::current(int owner) const {
  return const_cast<world*>(this)->current(owner);
}

int world::holders() const {
  return static_cast<int>(
      std::count_if(processes.begin(), processes.end(), [&](const process& p) { return holds(p); }));
}

bool world::connected(int owner) const {
  const auto* c = current(owner);
  return c != nullptr && c->open;
}

void world::apply(const choice& c) {
  switch (c.what) {
    case kind::take:
      broker_takes(*by_id(c.which));
      break;
    case kind::sync:
      for (message& m : queue) {
        if (m.from != c.which || m.synced || !m.durable) continue;
        m.synced = true;
        connection& to = *by_id(c.which);
        to.answers.push_back({lock::event::accepted{to.of, m.what.epoch, m.what.sequence}, 0});
        break;
      }
      break;
    case kind::drop:
      if (!may_be_dropped(*by_id(c.which))) --faults_left;
      broker_drops(c.which);
      break;
    case kind::restart:
      --faults_left;
      broker_restarts();
      break;
    case kind::advance:
      ++now;
      for (int i = 0; i < is.instances; ++i) {
        const process& p = processes[static_cast<std::size_t>(i)];
        if (!p.frozen && p.machine.wake_ms() <= now) step(i, lock::event::tick{});
      }
      break;
    case kind::take_over:
    case kind::commit:
    case kind::arrive:
      do_work(c);
      break;
    default:
      process_choice(c);
  }
  check_all();
}

void world::process_choice(const choice& c) {
  process& p = processes[static_cast<std::size_t>(c.which)];
  switch (c.what) {
    case kind::read:
      return reads(c.which);
    case kind::answer: {
      auto& answers = current(c.which)->answers;
      const lock::input first = answers.front().what;
      answers.erase(answers.begin());
      return step(c.which, first);
    }
    case kind::notice:
      return step(c.which, lock::event::lost{p.machine.current()});
    case kind::tick:
      return step(c.which, lock::event::tick{});
    case kind::freeze:
      --faults_left;
      p.frozen = true;
      p.frozen_at = now;
      return;
    case kind::thaw:
      p.frozen = false;
      return;
    case kind::stop:
      --faults_left;
      return step(c.which, lock::event::stop{});
    case kind::aside:
      --faults_left;
      return step(c.which, lock::event::step_aside{2, is.moves});
    case kind::quiet:
      p.quiet_due = false;
      return step(c.which, lock::event::quiet{});
    case kind::kill:
      --faults_left;
      perform(c.which, lock::action::disconnect{});
      [[fallthrough]];
    default: {  // revive
      const int life = p.life + 1;
      p = {.machine = machine_of(limits, is.preferred, c.which, life), .life = life};
      return start(c.which);
    }
  }
}

void world::reads(int owner) {
  auto& buffer = current(owner)->buffer;
  const arrived first = buffer.front();
  buffer.erase(buffer.begin());
  broker_delivers();  // reading gives new credit; waiting for it to be settled would not
  process& p = processes[static_cast<std::size_t>(owner)];
  if (const auto* d = std::get_if<lock::event::delivered>(&first.what)) {
    if (d->what.run != run_of(owner, p.life)) p.seen = std::max(p.seen, d->what.epoch);
    if (d->what.run == run_of(owner, p.life) && d->what.epoch == p.machine.epoch()) {
      if (d->what.sequence == 0) p.claim_read = d->what.epoch;
      p.proof = std::max(p.proof, first.sent);
    }
  }
  step(owner, first.what);
}

void world::step(int owner, const lock::input& happened) {
  process& p = processes[static_cast<std::size_t>(owner)];
  const auto before = p.machine.state();
  for (const auto& what : p.machine.step(happened, now)) perform(owner, what);
  check_step(owner, before, std::holds_alternative<lock::event::tick>(happened));
  // The agent's queues open at once: between recovering and active nothing that matters to the lock differs.
  if (p.machine.state() == lock::state::recovering) step(owner, lock::event::recovered{p.machine.current()});
}

void world::perform(int owner, const lock::output& what) {
  process& p = processes[static_cast<std::size_t>(owner)];
  connection* c = current(owner);
  if (const auto* connect = std::get_if<lock::action::connect>(&what)) {
    p.claim_read = 0;
    connections.push_back({.id = next_connection++, .owner = owner, .of = connect->as, .under_way = {operation{}}});
  } else if (std::holds_alternative<lock::action::disconnect>(what)) {
    if (c == nullptr) return;
    c->closed = true;
    c->buffer.clear();
    c->answers.clear();
    c->under_way.push_back({operation::close, {}, 0});
    if (!c->open) std::erase_if(connections, [&](const auto& other) { return other.id == c->id; });
  } else if (const auto* send = std::get_if<lock::action::send>(&what)) {
    message m{.what = send->what, .sent = now, .durable = send->durable};
    if (c != nullptr && c->open) c->under_way.push_back({operation::send, m, 0});
  } else if (const auto* settle = std::get_if<lock::action::settle>(&what)) {
    if (c != nullptr && c->open) c->under_way.push_back({operation::settle, {}, settle->id});
  } else if (const auto* a = std::get_if<lock::action::activate>(&what)) {
    activate(owner, *a);
  } else if (std::holds_alternative<lock::action::deactivate>(what)) {
    p.queues_open = false;
    p.quiet_due = true;
  }
}

void world::activate(int owner, const lock::action::activate& a) {
  process& p = processes[static_cast<std::size_t>(owner)];
  p.queues_open = true;
  p.quiet_due = false;
  p.epoch = a.epoch;
  p.alone_at = a.clean ? now : now + limits.lease_ms;
  const auto highest = activated.empty() ? 0 : *std::max_element(activated.begin(), activated.end());
  if (std::find(activated.begin(), activated.end(), a.epoch) != activated.end())
    fail("epoch " + std::to_string(a.epoch) + " is active a second time");
  // A late reader may come with an older epoch: check_step makes sure that it is within its own lease.
  if (connected(owner) && a.epoch < highest)
    fail("epoch " + std::to_string(a.epoch) + " is active after " + std::to_string(highest));
  if (p.claim_read != a.epoch) unlike("active without the claim of this connection having come back");
  if (p.seen >= a.epoch) unlike("active with an epoch that is not above every one seen");
  activated.push_back(a.epoch);
  if (is.work) works.push_back({.owner = owner, .life = p.life, .epoch = a.epoch});
}

void world::do_work(const choice& c) {
  work& w = works[static_cast<std::size_t>(c.which)];
  if (c.what == kind::take_over) {
    // The name of a higher epoch is not touched; the name of a lower one is gone for whoever knew it.
    w.took_over = !committed && file_epoch < w.epoch;
    w.done = !w.took_over;
    if (w.took_over) file_epoch = w.epoch;
  } else if (c.what == kind::commit) {
    w.done = true;
    if (committed || (is.epoch_in_name && file_epoch != w.epoch)) return;  // no such file
    if (file_epoch > w.epoch) fail("epoch " + std::to_string(w.epoch) + " commits a file that a newer one took over");
    committed = true;
  } else {
    w.arrived = true;
    if (w.epoch >= receiver_epoch || !is.fence) {
      if (w.epoch < receiver_epoch)
        fail("a message of epoch " + std::to_string(w.epoch) + " is taken after a newer one");
      receiver_epoch = w.epoch;
    } else if (const process& p = processes[static_cast<std::size_t>(w.owner)]; p.life == w.life && !p.frozen) {
      step(w.owner, lock::event::outbid{receiver_epoch});
    }
  }
}

void world::check_step(int owner, lock::state before, bool was_tick) {
  const process& p = processes[static_cast<std::size_t>(owner)];
  const auto after = p.machine.state();
  const bool holding = after == lock::state::recovering || after == lock::state::active;
  if (p.queues_open != holding) unlike("the agent's queues are open in state " + std::string(to_string(after)));
  if (before == lock::state::suspended && after != lock::state::suspended && after != lock::state::standby &&
      after != lock::state::stopped)
    unlike("from suspended to " + std::string(to_string(after)));
  if (holding && p.epoch != p.machine.epoch()) unlike("active with an epoch that was not announced");
  if (holding && p.machine.deadline_ms() > p.proof + limits.lease_ms)
    unlike("the lease is longer than the token that came back allows");
  const auto wake = p.machine.wake_ms();
  if ((wake == std::numeric_limits<std::int64_t>::max()) != (after == lock::state::stopped))
    unlike("no time to wake at in state " + std::string(to_string(after)));
  if (was_tick && wake <= now) unlike("a busy loop in state " + std::string(to_string(after)));
}

void world::check_all() {
  int alone = 0, on_time = 0;
  for (int i = 0; i < is.instances; ++i) {
    const process& p = processes[static_cast<std::size_t>(i)];
    if (!holds(p)) continue;
    if (connected(i)) ++on_time;
    if (now >= p.alone_at) ++alone;
  }
  if (on_time > 1) fail("two instances are active and connected at once");
  if (alone > 1) fail("two instances may do at once what cannot be fenced");
}

void world::thaw_all() {
  for (process& p : processes) p.frozen = false;
}

}  // namespace baton::model
