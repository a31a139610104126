// What the reductions share: their shapes, and the way from a tensor and its axes to the kernels.
#pragma once

#include <cstddef>
#include <span>

#include "splot/backend/cpu/fused.h"
#include "splot/backend/cpu/reduce.h"
#include "splot/core/op.h"

namespace splot {

/// The shape without the axes, or with size 1 in their place.
Shape reduced_shape(const Shape& shape, const Axes& axes, bool keepdim);
/// How many elements each result is made of.
Index reduced_count(const Shape& shape, const Axes& axes);
/// The gradient with the reduced axes (the record's "axes") put back as size 1.
Tensor axes_put_back(const Tensor& dy, const VjpArgs& v);

/// Attributes "axes" and "keepdim"; the output has the input's dtype, which must be one that calculates.
void reduction_rule(RuleArgs& r);

/// Reduces x over the axes into dense `out`, whose dtype is x's, or int64 for sums and products of integers,
/// or bool for max (any) and min (all) of anything. `centre` holds a value for each result, in float dtypes
/// only.
void reduce_tensor(cpu::Reduce reduction, const Tensor& x, const Axes& axes, const void* centre, DType dtype,
                   void* out);

/// Whether the elements of x, of float32 or float64, are reduced over the axes in runs, each of them once.
bool reduces_in_runs(const Tensor& x, const Axes& axes);
/// The sum over the axes of what the call `wanted` makes, `like` which it is, into dense `out` of its dtype.
void sum_fused(cpu::PreparedCalls& prepared, std::span<const cpu::FusedCall> calls, std::size_t wanted,
               const Tensor& like, const Axes& axes, void* out);

/// Divides the elements of a dense tensor of floats.
void divide_all(const Tensor& x, double by);

}  // namespace splot
