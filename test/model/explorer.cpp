#include "test/model/explorer.hpp"

#include <algorithm>
#include <random>
#include <unordered_map>
#include <utility>

namespace baton::model {
namespace {
constexpr std::int64_t settled_after = 30;  // steps of the clock: some leases, and the longest wait to connect again
constexpr int moment_steps_max = 500;       // without any time going by

// A state is not kept but made anew from its history, which is short: millions of them fit into memory.
struct node {
  std::size_t parent = 0;
  choice by;
  std::size_t depth = 0;
  double histories = 1;  // of the shortest length, that lead here
};

// One after the other, whatever is not a fault, not a piece of work and not time.
bool next_of(const world& of, choice& next) {
  for (const choice& c : of.choices()) {
    if (c.what >= kind::drop &&
        !(c.what == kind::drop && std::none_of(of.connections.begin(), of.connections.end(),
                                               [&](const auto& k) { return k.id == c.which && !k.closed; })))
      return false;
    if (c.what == kind::advance || c.what == kind::take_over || c.what == kind::commit || c.what == kind::arrive)
      continue;
    next = c;
    return true;
  }
  return false;
}

bool is_settled(const world& of) {
  int active = 0, waiting = 0;
  for (int i = 0; i < of.is.instances; ++i) {
    const auto state = of.processes[static_cast<std::size_t>(i)].machine.state();
    if (state == lock::state::active && of.connected(i)) ++active;
    if (state == lock::state::standby && of.connected(i)) ++waiting;
  }
  return active == 1 && waiting == of.is.instances - 1;
}

// Where exploring starts: nothing has happened yet; the first instance is active.
std::vector<std::pair<std::string, world>> roots(const rules& is) {
  std::vector<std::pair<std::string, world>> out;
  out.emplace_back("nothing has happened yet", world(is));
  world settled(is);
  settle(settled);
  settled.is.time_max = is.time_max;
  settled.began = settled.now;
  out.emplace_back("time " + std::to_string(settled.now) + ", after a start without faults", settled);
  return out;
}

std::vector<std::string> replay(const std::string& name, world of, const std::vector<choice>& steps) {
  std::vector<std::string> out{name + ": " + of.outline()};
  for (const choice& c : steps) {
    const std::string text = of.describe(c);
    of.apply(c);
    out.push_back(text + "; " + of.outline());
  }
  return out;
}

std::vector<choice> steps_to(const std::vector<node>& nodes, std::size_t last) {
  std::vector<choice> steps;
  for (std::size_t i = last; i != 0; i = nodes[i].parent) steps.push_back(nodes[i].by);
  std::reverse(steps.begin(), steps.end());
  return steps;
}

// One root, breadth first.
class breadth_first {
 public:
  breadth_first(std::string name, world root, const bounds& to, findings& found)
      : name_(std::move(name)), root_(std::move(root)), to_(to), found_(found) {}

  void run() {
    nodes_.push_back({});
    seen_.emplace(std::hash<std::string>{}(root_.key()), 0);
    std::size_t at = 0;
    for (; at < nodes_.size() && nodes_.size() < to_.states && found_.wrong.empty(); ++at) {
      world of = root_;
      for (const choice& c : steps_to(nodes_, at)) of.apply(c);
      expand(at, of);
    }
    found_.complete = at == nodes_.size();
    found_.depth = nodes_[std::min(at, nodes_.size() - 1)].depth;
    found_.states = nodes_.size();
    for (const node& n : nodes_) found_.histories += n.histories;
  }

 private:
  void expand(std::size_t at, const world& of) {
    for (const choice& c : of.choices()) {
      world then = of;
      then.apply(c);
      ++found_.steps;
      const auto [known, fresh] = seen_.emplace(std::hash<std::string>{}(then.key()), nodes_.size());
      if (!fresh && then.wrong.empty()) {
        node& n = nodes_[known->second];
        if (n.depth == nodes_[at].depth + 1) n.histories += nodes_[at].histories;
        continue;
      }
      nodes_.push_back({at, c, nodes_[at].depth + 1, nodes_[at].histories});
      found_.overlaps += then.holders() > 1;
      found_.activations += then.activated.size() - of.activated.size();
      if (!then.wrong.empty()) return report(then.wrong);
      if (to_.sample == 0 || nodes_.size() % to_.sample != 0) continue;
      ++found_.fair_runs;
      if (const std::string wrong = settle(then); !wrong.empty()) return report(wrong + ": " + then.outline());
    }
  }

  void report(const std::string& wrong) {
    found_.wrong = wrong;
    found_.history = replay(name_, root_, steps_to(nodes_, nodes_.size() - 1));
  }

  std::string name_;
  world root_;
  bounds to_;
  findings& found_;
  std::vector<node> nodes_;
  std::unordered_map<std::size_t, std::size_t> seen_;
};

// What goes wrong in this history; nothing, too, when it cannot happen.
std::string outcome(world of, const std::vector<choice>& steps, bool fair) {
  for (const choice& c : steps) {
    const auto possible = of.choices();
    if (std::none_of(possible.begin(), possible.end(),
                     [&](const choice& p) { return p.what == c.what && p.which == c.which; }))
      return "";
    of.apply(c);
    if (!of.wrong.empty()) return of.wrong;
  }
  return fair ? settle(of) : "";
}

// Leaves out, again and again, every step without which it still goes wrong.
void shrink(const world& root, std::vector<choice>& steps, bool fair) {
  for (std::size_t before = steps.size() + 1; steps.size() < before;) {
    before = steps.size();
    for (const std::size_t length : {50U, 20U, 8U, 3U, 2U, 1U}) {
      for (std::size_t i = steps.size(); i-- > 0;) {
        if (i + length > steps.size()) continue;
        std::vector<choice> fewer = steps;
        const auto first = fewer.begin() + static_cast<std::ptrdiff_t>(i);
        fewer.erase(first, first + static_cast<std::ptrdiff_t>(length));
        if (!outcome(root, fewer, fair).empty()) steps = fewer;
      }
    }
  }
}

// Faults are rare among the choices of a walk, so that there is something for them to break. `pace`: how many things
// happen, about, while the clock makes a step.
choice chosen(const std::vector<choice>& from, std::uint64_t pace, std::mt19937_64& random) {
  std::vector<choice> faults, others, time;
  for (const choice& c : from) {
    auto& sort = c.what >= kind::drop ? faults : c.what == kind::advance || c.what == kind::thaw ? time : others;
    sort.push_back(c);
  }
  const std::vector<choice>* of = &others;
  if (others.empty() || (!time.empty() && random() % pace == 0)) of = &time;
  if (of->empty() || (!faults.empty() && random() % 30 == 0)) of = &faults;
  return (*of)[random() % of->size()];
}
}  // namespace

std::string settle(world& of) {
  of.faults_left = 0;
  of.thaw_all();
  of.is.time_max = -1;
  const std::int64_t until = of.now + settled_after;
  while (of.now < until) {
    choice next;
    int steps = 0;
    while (next_of(of, next)) {
      of.apply(next);
      if (!of.wrong.empty()) return "without further faults: " + of.wrong;
      if (++steps > moment_steps_max) return "without further faults: it does not come to rest";
    }
    of.apply({kind::advance, 0});
    if (!of.wrong.empty()) return "without further faults: " + of.wrong;
  }
  choice next;
  while (next_of(of, next)) of.apply(next);
  return is_settled(of) ? "" : "without further faults it does not come to one active instance";
}

findings search(const rules& is, const bounds& to) {
  findings found;
  bool complete = true;
  std::size_t depth = 1000000;
  for (auto& [name, root] : roots(is)) {
    root.faults_left = is.faults;
    if (!root.wrong.empty()) continue;  // a variant that breaks without any fault: the other root shows how
    findings of;
    breadth_first(name, root, to, of).run();
    found.states += of.states;
    found.steps += of.steps;
    found.histories += of.histories;
    found.fair_runs += of.fair_runs;
    found.activations += of.activations;
    found.overlaps += of.overlaps;
    complete = complete && of.complete;
    depth = std::min(depth, of.depth);
    const bool shorter = found.wrong.empty() || of.history.size() < found.history.size();
    if (of.wrong.empty() || !shorter) continue;
    found.wrong = of.wrong;
    found.history = of.history;
  }
  found.complete = complete;
  found.depth = depth;
  return found;
}

findings walk(const rules& is, const bounds& to) {
  findings found;
  std::size_t wrong_walks = 0;
  std::mt19937_64 random(to.seed);
  const auto from = roots(is);
  for (std::size_t i = 0; i < to.walks; ++i) {
    const auto& [name, root] = from[i % from.size()];
    world of = root;
    of.faults_left = is.faults;
    std::vector<choice> steps;
    const std::uint64_t pace = std::uint64_t{4} << random() % 5;
    for (int n = 0; n < to.walk_steps && of.wrong.empty(); ++n) {
      const auto possible = of.choices();
      if (possible.empty()) break;  // the clock has come to its bound
      steps.push_back(chosen(possible, pace, random));
      of.apply(steps.back());
      found.overlaps += of.holders() > 1;
      ++found.steps;
    }
    ++found.walks;
    found.activations += of.activated.size();
    const bool fair = of.wrong.empty() && to.sample > 0;
    std::string wrong = of.wrong;
    if (fair) {
      ++found.fair_runs;
      wrong = settle(of);
    }
    if (wrong.empty()) continue;
    world start = root;
    start.faults_left = is.faults;
    shrink(start, steps, fair);
    const bool shorter = found.wrong.empty() || steps.size() + 1 < found.history.size();
    if (shorter) found.wrong = outcome(start, steps, fair);
    if (shorter) found.history = replay(name, start, steps);
    if (++wrong_walks == to.wrong_walks) break;
  }
  return found;
}

}  // namespace baton::model
