// Reductions over any axes. `axes` may be negative and come in any order; none means all of them. With
// `keepdim` the reduced axes stay as size 1. Throws ShapeError for an axis that x lacks or that is named
// twice.
#pragma once

#include <optional>

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

/// The product over the axes; integers and bool multiply to int64. The derivative is exact also where
/// elements are 0.
///
///   prod(x, {1})   x[2, 3] -> [2]
SPLOT_API Tensor prod(const Tensor& x, const Axes& axes = {}, bool keepdim = false);

/// log(sum exp(x)), without overflow; -inf where every element is -inf. Integers are converted to float32.
///
///   logsumexp(logits, {-1})   logits[32, 10] -> [32]
SPLOT_API Tensor logsumexp(const Tensor& x, const Axes& axes = {}, bool keepdim = false);

/// The sums of all elements up to and including each one, along one axis; from the end when `reverse`.
/// Integers and bool add up to int64.
///
///   cumsum(tensor({1.0, 2.0, 3.0}), 0)   // [1, 3, 6]
SPLOT_API Tensor cumsum(const Tensor& x, Index axis, bool reverse = false);

/// The index of the largest element along the axis, int64; the first of equal ones, and of NaN if there are
/// any. Without an axis the index into all elements in row-major order. Throws ShapeError over an axis of
/// size 0.
///
///   argmax(logits, 1)   logits[32, 10] -> [32]
SPLOT_API Tensor argmax(const Tensor& x, std::optional<Index> axis = {}, bool keepdim = false);
/// The index of the smallest element, otherwise like argmax.
SPLOT_API Tensor argmin(const Tensor& x, std::optional<Index> axis = {}, bool keepdim = false);

/// Whether all elements are true (not zero); true of nothing.
SPLOT_API Tensor all(const Tensor& x, const Axes& axes = {}, bool keepdim = false);
/// Whether any element is true (not zero; NaN is true); false of nothing.
SPLOT_API Tensor any(const Tensor& x, const Axes& axes = {}, bool keepdim = false);

}  // namespace splot
