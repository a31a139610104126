// Where the values of a graph live, and how long.
#pragma once

#include <cstddef>
#include <vector>

#include "splot/core/export.h"
#include "splot/graph/graph.h"

namespace splot::compiler {

/// Who provides the memory of a value.
enum class Home {
  outside,  ///< an argument, a slot, a key or a constant
  view,     ///< another value, of which it is a view
  arena,    ///< the plan's block
  own,      ///< memory of its own, for somebody keeps it after the call
};

struct Lifetime {
  Home home = Home::arena;
  ValueId base = 0;  ///< the value it is a view of, followed to its end; else itself
  Index offset = 0;  ///< of a view's first element behind that of the base, in elements
  int first = 0;     ///< the call that makes it
  int last = 0;      ///< the last call that reads it or a view of it
  std::size_t bytes = 0;
};

/// Of each value.
SPLOT_API std::vector<Lifetime> lifetimes_of(const Graph& graph);

/// A place for each value whose home is the arena, so that none overlaps another alive at the same time;
/// other values have 0. Largest first, each at the lowest free place.
struct Arena {
  std::vector<std::size_t> offsets;
  std::size_t bytes = 0;
  std::size_t lower_bound = 0;
};
SPLOT_API Arena place(const std::vector<Lifetime>& lifetimes);

}  // namespace splot::compiler
