// Explores the protocol of the instances of a queue manager: every order to a bound, then random walks. Ends with 0
// when every property held, or with --broken when one did not.
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <random>
#include <stdexcept>
#include <unordered_set>

#include "test/model/instances/world.hpp"

using namespace baton::instances_model;

namespace {

struct options {
  rules is;
  std::size_t states = 100000, walks = 2000, walk_steps = 500, sample = 200;
  std::uint64_t seed = 1;
  bool broken = false;
};

struct findings {
  std::size_t states = 0, walks = 0, settled = 0, takeovers = 0, sent = 0, depth = 0;
  bool complete = false;
  std::string wrong;
  std::vector<std::string> history;
};

std::int64_t number(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) throw std::invalid_argument("not a number: " + text);
  return value;
}

options parse(int argc, char** argv) {
  options o;
  const std::map<std::string, std::function<void()>> flags{
      {"--broken", [&] { o.broken = true; }},
      {"--fail-back", [&] { o.is.fail_back = true; }},
      {"--no-epoch-check", [&] { o.is.epoch_check = false; }},
      {"--no-renewals-check", [&] { o.is.renewals_check = false; }},
      {"--no-lease-at-leave", [&] { o.is.lease_at_leave = false; }},
      {"--stale-io", [&] { o.is.stale_io_refused = false; }},
      {"--give-away-early", [&] { o.is.give_away_early = true; }},
  };
  const std::map<std::string, std::function<void(std::int64_t)>> values{
      {"--instances", [&](auto v) { o.is.instances = static_cast<int>(v); }},
      {"--faults", [&](auto v) { o.is.faults = static_cast<int>(v); }},
      {"--time-max", [&](auto v) { o.is.time_max = v; }},
      {"--states", [&](auto v) { o.states = static_cast<std::size_t>(v); }},
      {"--walks", [&](auto v) { o.walks = static_cast<std::size_t>(v); }},
      {"--seed", [&](auto v) { o.seed = static_cast<std::uint64_t>(v); }},
  };
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (flags.count(name) > 0)
      flags.at(name)();
    else if (values.count(name) > 0 && i + 1 < argc)
      values.at(name)(number(argv[++i]));
    else
      throw std::invalid_argument("not known: " + name);
  }
  if (const char* factor = std::getenv("BATON_MODEL_FACTOR"); factor != nullptr && !o.broken) {
    o.states *= static_cast<std::size_t>(number(factor));
    o.walks *= static_cast<std::size_t>(number(factor));
  }
  return o;
}

struct node {
  world state;
  std::size_t parent = 0;
  choice by;
};

std::vector<std::string> history_of(const std::vector<std::pair<std::size_t, choice>>& tree, std::size_t last,
                                    const rules& is) {
  std::vector<choice> way;
  for (std::size_t at = last; at != 0; at = tree[at].first) way.push_back(tree[at].second);
  world again(is);
  std::vector<std::string> lines;
  for (auto c = way.rbegin(); c != way.rend(); ++c) {
    lines.push_back(again.describe(*c));
    again.apply(*c);
  }
  return lines;
}

// Breadth first: what it finds is a shortest history.
void search(const options& o, findings& found) {
  std::vector<std::pair<std::size_t, choice>> tree{{0, {}}};
  std::deque<std::pair<std::size_t, world>> open;
  std::unordered_set<std::string> seen;
  open.emplace_back(0, world(o.is));
  while (!open.empty() && found.states < o.states) {
    const auto [at, from] = std::move(open.front());
    open.pop_front();
    for (const choice& c : from.choices()) {
      world next = from;
      next.apply(c);
      if (!next.wrong.empty()) {
        tree.emplace_back(at, c);
        found.wrong = next.wrong;
        found.history = history_of(tree, tree.size() - 1, o.is);
        return;
      }
      if (!seen.insert(next.key()).second) continue;
      tree.emplace_back(at, c);
      ++found.states;
      if (!o.broken && found.states % o.sample == 0) {
        world rest = next;
        ++found.settled;
        if (const std::string bad = rest.settle(); !bad.empty()) {
          found.wrong = bad;
          found.history = history_of(tree, tree.size() - 1, o.is);
          return;
        }
      }
      found.takeovers = std::max(found.takeovers, next.takeovers);
      open.emplace_back(tree.size() - 1, std::move(next));
    }
  }
  found.complete = open.empty();
}

void walk(const options& o, findings& found) {
  std::mt19937_64 random(o.seed);
  for (std::size_t i = 0; i < o.walks && found.wrong.empty(); ++i, ++found.walks) {
    world w(o.is);
    std::vector<std::string> lines;
    for (std::size_t n = 0; n < o.walk_steps && w.wrong.empty(); ++n) {
      auto open = w.choices();
      if (open.empty()) break;
      // Faults are rare, so that the history between them is long.
      choice next = open[random() % open.size()];
      if (next.what >= kind::freeze && random() % 8 != 0) continue;
      // One that goes on is interesting above all when another one is about to take its place.
      const bool claimed = std::any_of(w.processes.begin(), w.processes.end(), [](const process& p) {
        return p.machine && p.machine->state() == baton::instances::state::claiming;
      });
      if (next.what == kind::thaw && random() % (claimed ? 2 : 8) != 0) continue;
      lines.push_back(w.describe(next));
      w.apply(next);
    }
    found.sent += w.sent;
    found.takeovers += w.takeovers;
    if (w.wrong.empty() && !o.broken) {
      ++found.settled;
      w.wrong = w.settle();
    }
    if (w.wrong.empty()) continue;
    found.wrong = w.wrong;
    found.history = std::move(lines);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const options o = parse(argc, argv);
  findings found;
  search(o, found);
  if (found.wrong.empty()) walk(o, found);
  std::cout << found.states << " states" << (found.complete ? " (all there are)" : "") << ", " << found.walks
            << " walks from seed " << o.seed << ", " << found.settled << " runs without further faults, "
            << found.takeovers << " takeovers, " << found.sent << " sent\n";
  if (!found.wrong.empty()) {
    std::cout << "WRONG: " << found.wrong << "\n";
    for (const std::string& line : found.history) std::cout << "  " << line << "\n";
  }
  return found.wrong.empty() == o.broken ? 1 : 0;
}
