// By how much a tensor of one step differs from that of another.
#pragma once

#include "splot/core/export.h"
#include "splot/core/tensor.h"

namespace splot::recipe_detail {

/// Shape, type and every bit.
SPLOT_API bool same_bits(const Tensor& a, const Tensor& b);
/// The largest difference of an element, by the largest entry of `wanted`, of the same shape. Infinite where
/// that is 0, and where a number is not finite, unless all bits are the same.
SPLOT_API double difference(const Tensor& got, const Tensor& wanted);

}  // namespace splot::recipe_detail
