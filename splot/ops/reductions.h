// Reductions over any axes.
#pragma once

#include "splot/core/tensor.h"

namespace splot {

/// The sum over the axes, all of them when none are named; integers and bool add up to int64.
///
///   sum(x)              x[2, 3] -> []
///   sum(x, {1}, true)   x[2, 3] -> [2, 1]
SPLOT_API Tensor sum(const Tensor& x, const Axes& axes = {}, bool keepdim = false);
/// Sums x over the axes that broadcasting would stretch from `shape`: the derivative of broadcasting.
SPLOT_API Tensor sum_to(const Tensor& x, const Shape& shape);

}  // namespace splot
