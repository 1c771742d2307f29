// Goes through the histories of a world: breadth first, so that the first history that breaks a property is a
// shortest one, and as long random walks, which come to states that are too deep for that.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "test/model/world.hpp"

namespace baton::model {

struct bounds {
  std::size_t states = 100000;  // different ones, from each root
  std::size_t walks = 0;
  int walk_steps = 400;
  std::size_t wrong_walks = 1;  // after so many, the shortest is what was found
  std::size_t sample = 50;      // of so many states one is let run on without further faults; 0: none
  std::uint64_t seed = 1;
};

struct findings {
  std::size_t states = 0, steps = 0, walks = 0, fair_runs = 0, activations = 0;
  std::size_t overlaps = 0;  // states or steps with two holders: a late reader and the new one
  double histories = 0;
  std::size_t depth = 0;  // all states up to it were seen
  bool complete = false;  // there are no more
  std::string wrong;
  std::vector<std::string> history;
};

findings search(const rules& is, const bounds& to);
findings walk(const rules& is, const bounds& to);

// Lets everything happen as soon as it can, without faults, for a bounded time. Ends with one active instance and the
// others waiting, or says what is wrong.
std::string settle(world& of);

}  // namespace baton::model
