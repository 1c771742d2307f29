// Explores the lock's protocol: see README.md. Ends with 0 when every property held, or with --broken when one did not.
#include <charconv>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <string>

#include "test/model/explorer.hpp"

using namespace baton::model;

namespace {
struct options {
  rules is;
  bounds to;
  bool broken = false;
};

std::size_t number(const std::string& text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) throw std::invalid_argument("not a number: " + text);
  return value;
}

// Which faults there are, as letters: drop, freeze, kill, restart of the broker, stop, giving the lock back (aside).
void set_kinds(rules& is, const std::string& letters) {
  const auto has = [&](char c) { return letters.find(c) != std::string::npos; };
  is.drops = has('d');
  is.freezes = has('f');
  is.kills = has('k');
  is.restarts = has('r');
  is.stops = has('s');
  is.asides = has('a');
}

options parse(int argc, char** argv) {
  options o;
  const std::map<std::string, std::function<void()>> flags{
      {"--tail", [&] { o.is.tail = true; }},
      {"--slow-sync", [&] { o.is.slow_sync = true; }},
      {"--preferred", [&] { o.is.preferred = true; }},
      {"--priorities", [&] { o.is.priorities = true; }},
      {"--moves", [&] { o.is.moves = true; }},
      {"--asides", [&] { o.is.asides = true; }},
      {"--fair", [&] { o.to.sample = bounds{}.sample; }},
      {"--work", [&] { o.is.work = true; }},
      {"--no-fence", [&] { o.is.fence = false; }},
      {"--no-epoch-in-name", [&] { o.is.epoch_in_name = false; }},
      {"--broken",
       [&] {
         o.broken = o.is.harm_only = true;
         o.to.sample = 0;
         o.to.wrong_walks = 5;
       }},
  };
  const std::map<std::string, std::function<void(const std::string&)>> values{
      {"--instances", [&](const auto& v) { o.is.instances = static_cast<int>(number(v)); }},
      {"--faults", [&](const auto& v) { o.is.faults = static_cast<int>(number(v)); }},
      {"--kinds", [&](const auto& v) { set_kinds(o.is, v); }},
      {"--length-max", [&](const auto& v) { o.is.length_max = static_cast<int>(number(v)); }},
      {"--time-max", [&](const auto& v) { o.is.time_max = static_cast<std::int64_t>(number(v)); }},
      {"--credit", [&](const auto& v) { o.is.credit = static_cast<int>(number(v)); }},
      {"--states", [&](const auto& v) { o.to.states = number(v); }},
      {"--walks", [&](const auto& v) { o.to.walks = number(v); }},
      {"--seed", [&](const auto& v) { o.to.seed = number(v); }},
  };
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (flags.count(name) > 0) {
      flags.at(name)();
    } else if (values.count(name) > 0 && i + 1 < argc) {
      values.at(name)(argv[++i]);
    } else {
      throw std::invalid_argument("not known: " + name);
    }
  }
  // For a long run: BATON_MODEL_FACTOR=5. So many times as many states and walks, and a step more of the clock.
  if (const char* factor = std::getenv("BATON_MODEL_FACTOR"); factor != nullptr && !o.broken) {
    o.to.states *= number(factor);
    o.to.walks *= number(factor);
    if (o.is.time_max >= 0) ++o.is.time_max;
  }
  return o;
}

void print(const findings& f) {
  std::cout << f.states << " states, " << f.steps << " steps, " << f.walks << " walks, " << f.activations
            << " activations, " << f.overlaps << " times a late reader, " << f.fair_runs
            << " runs without further faults";
  if (f.states > 0)
    std::cout << ", " << f.histories << " histories"
              << (f.complete ? ", all there are" : ", all up to depth " + std::to_string(f.depth));
  std::cout << "\n";
  if (f.wrong.empty()) return;
  std::cout << f.wrong << ", after " << f.history.size() - 1 << " steps\n";
  for (const auto& line : f.history) std::cout << "  " << line << "\n";
}
}  // namespace

int main(int argc, char** argv) try {
  const options o = parse(argc, argv);
  const findings searched = search(o.is, o.to);
  print(searched);
  bool wrong = !searched.wrong.empty();
  if (!wrong && o.to.walks > 0) {
    std::cout << "seed " << o.to.seed << ": ";
    const findings walked = walk(o.is, o.to);
    print(walked);
    wrong = !walked.wrong.empty();
  }
  if (wrong != o.broken)
    std::cout << (o.broken ? "a broken variant was not found out\n" : "a property does not hold\n");
  return wrong == o.broken ? 0 : 1;
} catch (const std::exception& e) {
  std::cerr << e.what() << "\n";
  return 2;
}
