#include "test/model/instances/world.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

namespace baton::instances {

// All of a machine that decides what it will do.
struct machine_key {
  static void write(std::ostream& out, const machine& m) {
    out << static_cast<int>(m.state_) << ',' << m.wake_ << ',' << m.renew_at_ << ',' << m.epoch_ << ',' << m.deadline_
        << ',' << m.holder_renewals_ << ',' << m.holder_beat_ << ',' << m.holder_silent_since_ << ','
        << m.holder_seen_active_ << ',' << m.open_since_.value_or(-1) << ',' << m.fencing_ << m.end_all_
        << m.return_to_waiting_ << m.told_blocked_ << m.stands_by_ << ',' << m.handed_over_;
    for (const auto& [name, one] : m.peers_) {
      out << '/' << name << one.epoch << ',' << one.beat << ',' << one.running << one.standby << ',' << one.changed_at
          << ',' << one.well_since;
    }
  }
};

}  // namespace baton::instances

namespace baton::instances_model {
namespace {

using namespace instances;
constexpr std::int64_t lease = 3;

limits times() {
  limits l;
  l.look_ms = l.renew_ms = 1;
  l.lease_ms = lease;
  l.hold_ms = 1;
  l.hand_over_ms = 2;
  l.fail_back_delay_ms = 2;
  return l;
}

std::string name_of(int i) {
  return std::string(1, static_cast<char>('a' + i));
}

}  // namespace

world::world(const rules& r) : is(r), faults_left(r.faults) {
  for (int i = 0; i < r.instances; ++i) {
    processes.emplace_back();
    files.emplace_back();
  }
  for (int i = 0; i < r.instances; ++i) start(i);
}

void world::start(int i) {
  process& p = processes[static_cast<std::size_t>(i)];
  const std::uint64_t last = p.epoch;
  const int life = p.life;
  p = {};
  p.life = life;
  p.epoch = last;
  preference prefers;
  prefers.own = name_of(i);
  if (is.fail_back) prefers.preferred = {name_of(0)};
  prefers.fail_back = is.fail_back;
  p.machine.emplace(times(), prefers, now);
  write_file(i);
}

bool world::busy(int i) const {
  const process& p = processes[static_cast<std::size_t>(i)];
  if (!p.machine || p.frozen) return false;
  return !p.ops.empty() || !p.events.empty() || p.leave_again || p.machine->wake_ms() <= now;
}

std::vector<choice> world::choices() const {
  std::vector<choice> out;
  bool all_idle = true;
  for (int i = 0; i < is.instances; ++i) {
    const process& p = processes[static_cast<std::size_t>(i)];
    if (busy(i)) {
      all_idle = false;
      out.push_back({kind::step, i});
    } else if (p.machine && !p.frozen && p.machine->holds()) {
      out.push_back({kind::commit, i});
      out.push_back({kind::send, i});
    }
    if (p.frozen) out.push_back({kind::thaw, i});
    if (!p.machine) out.push_back({kind::revive, i});
    if (faults_left == 0) continue;
    if (p.machine && !p.frozen) out.push_back({kind::freeze, i});
    if (p.machine) out.push_back({kind::kill, i});
    if (p.machine && !p.frozen && !busy(i)) out.push_back({kind::stop, i});
    const bool long_frozen = p.frozen && (is.give_away_early || now - p.frozen_at >= lease);
    if (long_frozen && p.machine->holds() && holds_lock(i, p.epoch)) out.push_back({kind::give_away, i});
  }
  if (all_idle && now < is.time_max) out.push_back({kind::advance, 0});
  return out;
}

void world::apply(const choice& c) {
  process& p = processes[static_cast<std::size_t>(c.which)];
  if (c.what >= kind::freeze) --faults_left;
  switch (c.what) {
    case kind::step:
      return run(c.which);
    case kind::commit:
      p.ops = {{op::begin_commit}, {op::end_commit}, {op::leave}};
      return;
    case kind::send:
      p.ops = {{op::leave}};
      return;
    case kind::advance:
      ++now;
      return;
    case kind::thaw:
      p.frozen = false;
      return;
    case kind::revive:
      return start(c.which);
    case kind::freeze:
      p.frozen = true;
      p.frozen_at = now;
      return;
    case kind::kill:
      return end(c.which);
    case kind::stop:
      return feed(c.which, event::stop{});
    case kind::give_away:
      locks.erase({p.epoch, c.which});
      // The lock of a commit goes, too, and whoever comes next undoes the commit.
      if (committing != c.which) return;
      committing = -1;
      p.commit_lost = true;
      return;
  }
}

// Its process has gone: so have its locks, and what it had not committed is undone.
void world::end(int i) {
  process& p = processes[static_cast<std::size_t>(i)];
  p.machine.reset();
  p.frozen = p.leave_again = p.commit_lost = false;
  p.ops.clear();
  p.events.clear();
  ++p.life;
  std::erase_if(locks, [&](const auto& one) { return one.second == i; });
  if (committing == i) committing = -1;
  files[static_cast<std::size_t>(i)].says.running = false;
}

void world::feed(int i, const input& what) {
  process& p = processes[static_cast<std::size_t>(i)];
  for (const output& one : p.machine->step(what, now)) {
    perform(i, one);
    if (!p.machine) return;
  }
}

// One step of its driver.
void world::run(int i) {
  process& p = processes[static_cast<std::size_t>(i)];
  if (p.ops.empty()) {
    if (!p.events.empty()) {
      const input next = p.events.front();
      p.events.pop_front();
      return feed(i, next);
    }
    if (p.leave_again) {
      p.leave_again = false;
      p.ops.push_back({op::leave});
    } else if (p.machine->wake_ms() <= now) {
      return feed(i, event::tick{});
    } else {
      return;
    }
  }
  const op o = p.ops.front();
  p.ops.pop_front();
  if (o.what <= op::ask_lock) return run_look(i, o);
  if (o.what <= op::give_old) return run_claim(i, o);
  if (o.what <= op::reclaim_file) return run_proof(i, o);
  run_work(i, o);
}

void world::run_look(int i, const op& o) {
  process& p = processes[static_cast<std::size_t>(i)];
  if (o.what == op::read_files) {
    p.look = {};
    p.look.began_ms = now;
    p.look.epoch = p.machine->epoch();
    for (const file& one : files) {
      if (!one.there) continue;
      p.look.peers.push_back(one.says);
      p.look.epoch = std::max(p.look.epoch, one.says.epoch);
    }
    return;
  }
  p.look.lock_free = std::none_of(locks.begin(), locks.end(),
                                  [&](const auto& one) { return one.first == p.look.epoch && one.second != i; });
  p.events.emplace_back(p.look);
}

bool world::take(int i, std::uint64_t byte) {
  for (const auto& [taken, by] : locks) {
    if (taken == byte && by != i) return false;
  }
  locks.insert({byte, i});
  return true;
}

void world::run_claim(int i, const op& o) {
  process& p = processes[static_cast<std::size_t>(i)];
  const auto give_up = [&](const input& answer) {
    if (o.what == op::raise) locks.erase({o.epoch + 1, i});
    p.ops = {{op::give_old, o.epoch}};
    p.events.push_back(answer);
  };
  switch (o.what) {
    case op::take_lock:
      p.began = now;
      if (!o.flag && !take(i, o.epoch)) give_up(event::outrun{o.epoch, o.renewals});
      return;
    case op::take_next:
      if (!take(i, o.epoch + 1)) give_up(event::outrun{epoch, renewals});
      return;
    case op::raise: {
      if (committing >= 0) return give_up(event::blocked{});
      if (epoch != o.epoch || (is.renewals_check && renewals != o.renewals))
        return give_up(event::outrun{epoch, renewals});
      ++epoch;
      renewals = 0;
      if (!won.insert(epoch).second) fail("two instances won one epoch");
      ++takeovers;
      p.events.emplace_back(event::claimed{epoch, p.began});
      return;
    }
    default:
      locks.erase({o.epoch, i});
  }
}

void world::run_proof(int i, const op& o) {
  process& p = processes[static_cast<std::size_t>(i)];
  switch (o.what) {
    case op::publish:
      ++p.beat;
      return write_file(i);
    case op::prove_lock:
      p.began = now;
      p.took = take(i, p.epoch);
      return;
    case op::prove_store:
      if (p.took && epoch == p.epoch) return;
      p.ops.pop_front();  // prove_file
      p.events.emplace_back(event::lost{});
      return;
    case op::relock:
      p.began = now;
      p.took = take(i, p.epoch);
      return;
    case op::reclaim:
      if (p.took && epoch == p.epoch && committing < 0) {
        p.renewals = ++renewals;
        return;
      }
      p.ops.pop_front();
      p.events.emplace_back(event::lost{});
      return;
    default:
      ++p.beat;
      write_file(i);
      if (o.what == op::prove_file)
        p.events.emplace_back(event::renewed{p.began});
      else
        p.events.emplace_back(event::reclaimed{p.began});
  }
}

void world::run_work(int i, const op& o) {
  process& p = processes[static_cast<std::size_t>(i)];
  switch (o.what) {
    case op::begin_commit:
      if (committing < 0 && (!is.epoch_check || epoch == p.epoch)) {
        committing = i;
        return;
      }
      p.ops.clear();
      if (committing < 0) p.events.emplace_back(event::lost{});
      return;
    case op::end_commit:
      if (std::exchange(p.commit_lost, false)) {
        if (!is.stale_io_refused) fail("pages of a commit that was undone are written");
        return;
      }
      committing = -1;
      if (epoch != p.epoch) fail("a commit with an epoch that is not the store's");
      return;
    case op::leave:
      if (!p.machine->holds()) return;
      if (is.lease_at_leave && now >= p.machine->deadline_ms()) {
        p.events.emplace_back(event::late{});
        p.leave_again = true;
        return;
      }
      ++sent;
      if (epoch != p.epoch) fail("something left behind a takeover");
      return;
    case op::closed:
      p.events.emplace_back(event::closed{});
      return;
    case op::release:
      files[static_cast<std::size_t>(i)].says.end_all = o.flag;
      files[static_cast<std::size_t>(i)].says.what = peer::ended;
      return;
    default:
      locks.erase({p.epoch, i});
  }
}

void world::write_file(int i, bool all) {
  const process& p = processes[static_cast<std::size_t>(i)];
  peer& says = files[static_cast<std::size_t>(i)].says;
  files[static_cast<std::size_t>(i)].there = true;
  says = {};
  says.name = name_of(i);
  says.running = true;
  says.what = p.machine->holds() ? peer::active : p.beat > 0 ? peer::standby : peer::ended;
  says.epoch = p.epoch;
  says.renewals = p.renewals;
  says.beat = p.beat;
  says.end_all = all;
}

void world::perform(int i, const output& what) {
  process& p = processes[static_cast<std::size_t>(i)];
  const auto then = [&](std::initializer_list<op> ops) { p.ops.insert(p.ops.end(), ops); };
  if (std::holds_alternative<action::look>(what)) {
    then({{op::read_files}, {op::ask_lock}});
  } else if (const auto* c = std::get_if<action::claim>(&what)) {
    then({{op::take_lock, c->epoch, c->renewals, c->fence},
          {op::take_next, c->epoch, c->renewals},
          {op::raise, c->epoch, c->renewals},
          {op::give_old, c->epoch}});
  } else if (const auto* s = std::get_if<action::serve>(&what)) {
    p.epoch = s->epoch;
    p.renewals = 0;
    then({{op::publish}});
  } else if (std::holds_alternative<action::publish>(what)) {
    then({{op::publish}});
  } else if (std::holds_alternative<action::renew>(what)) {
    then({{op::prove_lock}, {op::prove_store}, {op::prove_file}});
  } else if (std::holds_alternative<action::reclaim>(what)) {
    then({{op::relock}, {op::reclaim}, {op::reclaim_file}});
  } else if (std::holds_alternative<action::close>(what)) {
    then({{op::begin_commit}, {op::end_commit}, {op::leave}, {op::closed}});
  } else if (const auto* r = std::get_if<action::release>(&what)) {
    if (p.machine->state() == state::stopped)
      files[static_cast<std::size_t>(i)].says.what = peer::ended;
    else
      then({{op::release, 0, 0, r->all}, {op::give_lock}});
  } else if (std::holds_alternative<action::end>(what)) {
    end(i);
  } else if (std::holds_alternative<action::end_holder>(what)) {
    for (int other = 0; other < is.instances; ++other) {
      const process& held = processes[static_cast<std::size_t>(other)];
      if (other != i && held.machine && files[static_cast<std::size_t>(other)].says.epoch == p.machine->epoch())
        return end(other);
    }
  }
}

int world::active() const {
  int count = 0;
  for (const process& p : processes) count += p.machine && p.machine->holds() && p.epoch == epoch;
  return count;
}

std::string world::settle() {
  is.time_max = INT64_MAX;
  faults_left = 0;
  for (process& p : processes) p.frozen = false;
  const std::int64_t until = now + 20 * lease;
  while (wrong.empty() && now < until) {
    const auto open = choices();
    const auto next = std::find_if(open.begin(), open.end(),
                                   [](const choice& c) { return c.what == kind::step || c.what == kind::revive; });
    apply(next == open.end() ? choice{kind::advance, 0} : *next);
  }
  if (!wrong.empty()) return wrong;
  if (active() != 1) return "without faults it does not come to one active instance";
  const process& first = processes[0];
  if (is.fail_back && !(first.machine && first.machine->holds())) return "the preferred one does not get it back";
  return "";
}

std::string world::describe(const choice& c) const {
  static const char* const words[] = {"does its next step", "commits",   "sends",     "time goes on", "goes on",
                                      "is started again",   "is frozen", "is killed", "is stopped",   "loses its lock"};
  const std::string word = words[static_cast<int>(c.what)];
  if (c.what == kind::advance) return word;
  const process& p = processes[static_cast<std::size_t>(c.which)];
  std::ostringstream out;
  out << name_of(c.which) << ' ' << word << " (" << (p.machine ? to_string(p.machine->state()) : "down") << ", epoch "
      << p.epoch << ", op " << (p.ops.empty() ? -1 : static_cast<int>(p.ops.front().what)) << ")";
  return out.str();
}

std::string world::key() const {
  std::ostringstream out;
  out << now << ' ' << faults_left << ' ' << epoch << ',' << renewals << ' ' << committing << ' ';
  for (const auto& [byte, by] : locks) out << byte << '@' << by << ' ';
  for (std::size_t i = 0; i < processes.size(); ++i) {
    const process& p = processes[i];
    const peer& f = files[i].says;
    out << '|' << p.frozen << p.frozen_at << ',' << p.epoch << ',' << p.renewals << ',' << p.beat << ',' << p.began
        << p.took << p.leave_again << p.commit_lost << ';' << f.running << f.what << f.epoch << ',' << f.renewals << ','
        << f.beat << ';';
    for (const op& o : p.ops) out << o.what << '.' << o.epoch << '.' << o.renewals << ' ';
    for (const input& e : p.events) out << 'e' << e.index();
    if (!p.ops.empty() || !p.events.empty()) {
      out << p.look.epoch << p.look.lock_free << ',' << p.look.began_ms;
      for (const peer& one : p.look.peers) out << one.epoch << ',' << one.beat << one.what << one.running;
    }
    if (p.machine) instances::machine_key::write(out, *p.machine);
  }
  return out.str();
}

}  // namespace baton::instances_model
