// A graph as a picture.
#pragma once

#include <string_view>

#include "splot/core/export.h"
#include "splot/graph/graph.h"
#include "splot/report/svg.h"

namespace splot {

/// Arguments at the top, below them a box for each call - its op, the slots and constants it takes, what its
/// result is and which slot that becomes - and lines from results to whom they are handed. The whole call is
/// shown where the pointer rests.
///
///   write_file("step.svg", draw(plan.graph(), "a training step").file());
SPLOT_API Svg draw(const Graph& graph, std::string_view title);

}  // namespace splot
