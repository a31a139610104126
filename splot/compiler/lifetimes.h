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
  view,     ///< another value: it is a view of that, or is written over it
  block,    ///< nobody: calls that are made together hand it on, block by block
  arena,    ///< the plan's block
  own,      ///< memory of its own, for somebody keeps it after the call
};

struct Lifetime {
  Home home = Home::arena;
  ValueId base = 0;  ///< the value in whose memory it is, followed to its end; else itself
  Index offset = 0;  ///< of a view's first element behind that of the base, in elements
  int first = 0;     ///< the call that makes it
  int last = 0;      ///< the last call that reads it, or what is in its memory
  std::size_t bytes = 0;
};

/// Of each value, where calls are made one after the other and none writes over an operand.
SPLOT_API std::vector<Lifetime> lifetimes_of(const Graph& graph);

/// As a plan has them: what fused calls hand to each other is in no memory, and an elementwise call writes
/// its result over an operand that nobody reads afterwards.
SPLOT_API std::vector<Lifetime> planned_lifetimes(const Graph& graph);

/// How many calls, from this one on, are made together; 1: it is made alone.
SPLOT_API std::size_t calls_together(const Graph& graph, std::size_t first);

/// A place for each value whose home is the arena, so that none overlaps another alive at the same time;
/// other values have 0. Largest first, each at the lowest free place.
struct Arena {
  std::vector<std::size_t> offsets;
  std::size_t bytes = 0;
  std::size_t lower_bound = 0;
};
SPLOT_API Arena place(const std::vector<Lifetime>& lifetimes);

}  // namespace splot::compiler
