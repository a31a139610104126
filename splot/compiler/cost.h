// What a call of an op has to do at least: floors for the time it takes.
#pragma once

#include <cstddef>

#include "splot/core/export.h"
#include "splot/graph/graph.h"

namespace splot {

/// Counted from shapes alone. A view costs nothing.
///
/// Threads: a value.
struct Cost {
  double flops = 0.0;  ///< a multiplication with its addition is two; one for each number of other results
  double bytes = 0.0;  ///< every operand read once, every result written once
};

/// Of one call of the graph.
///
///   const Cost cost = cost_of(graph, graph.calls[0]);   // matmul [m, k] [k, n]: 2 m n k flops
SPLOT_API Cost cost_of(const Graph& graph, const GraphCall& call);
/// Of so many calls that are made together: what they hand to each other, and nobody else reads, costs no
/// bytes, and an operand is read once.
SPLOT_API Cost cost_of(const Graph& graph, std::size_t first, std::size_t calls);

}  // namespace splot
