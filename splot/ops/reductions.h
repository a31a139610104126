// Reductions over any axes. `axes` may be negative and come in any order; none means all of them. With
// `keepdim` the reduced axes stay as size 1. Throws ShapeError for an axis that x lacks or that is named
// twice.
#pragma once

#include "splot/core/tensor.h"

namespace splot {

/// The sum over the axes; integers and bool add up to int64.
///
///   sum(x)              x[2, 3] -> []
///   sum(x, {1}, true)   x[2, 3] -> [2, 1]
SPLOT_API Tensor sum(const Tensor& x, const Axes& axes = {}, bool keepdim = false);
/// Sums x over the axes that broadcasting would stretch from `shape`: the derivative of broadcasting.
SPLOT_API Tensor sum_to(const Tensor& x, const Shape& shape);

/// sum / count; integers are converted to float32. The mean of nothing is NaN.
///
///   mean(x, {0})   x[128, 10] -> [10]
SPLOT_API Tensor mean(const Tensor& x, const Axes& axes = {}, bool keepdim = false);

/// sum (x - mean)^2 / (count - correction). Correction 1 is the unbiased estimate, 0 the population's
/// variance; where count <= correction the result is infinite or NaN, as in PyTorch.
///
///   var(x, {0}, /*keepdim=*/false, /*correction=*/0)   x[128, 10] -> [10]
SPLOT_API Tensor var(const Tensor& x, const Axes& axes = {}, bool keepdim = false, double correction = 1);

/// The largest element; NaN if there is one. Equal largest elements share the gradient.
/// Throws ShapeError over an axis of size 0.
///
///   max(x, {-1})   x[2, 3] -> [2]
SPLOT_API Tensor max(const Tensor& x, const Axes& axes = {}, bool keepdim = false);
/// The smallest element, otherwise like max.
SPLOT_API Tensor min(const Tensor& x, const Axes& axes = {}, bool keepdim = false);

/// Whether all elements are true (not zero); true of nothing.
SPLOT_API Tensor all(const Tensor& x, const Axes& axes = {}, bool keepdim = false);
/// Whether any element is true (not zero; NaN is true); false of nothing.
SPLOT_API Tensor any(const Tensor& x, const Axes& axes = {}, bool keepdim = false);

}  // namespace splot
