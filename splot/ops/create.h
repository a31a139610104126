// Making tensors from nothing, and converting them.
#pragma once

#include <type_traits>

#include "splot/core/tensor.h"

namespace splot {

SPLOT_API Tensor full(const Shape& shape, double value, DType dtype = kFloat32);
SPLOT_API Tensor zeros(const Shape& shape, DType dtype = kFloat32);
SPLOT_API Tensor ones(const Shape& shape, DType dtype = kFloat32);
/// With the shape and dtype of x.
SPLOT_API Tensor full_like(const Tensor& x, double value);
SPLOT_API Tensor zeros_like(const Tensor& x);
SPLOT_API Tensor ones_like(const Tensor& x);

/// start, start + step, ... up to but without stop: element i is start + i step, calculated in float64.
/// Throws ValueError when step is 0, leads away from stop, or an argument is not finite.
SPLOT_API Tensor arange(double start, double stop, double step, DType dtype);
/// The same with the dtype of the arguments: int64 for integers (exact below 2^53), float32 for others.
///
///   arange(1, 7, 2)       int64 [1, 3, 5]
///   arange(0.0, 1.0, 0.5) float32 [0, 0.5]
template <Number Start, Number Stop, Number Step = int>
Tensor arange(Start start, Stop stop, Step step = 1) {
  constexpr bool kWhole = std::is_integral_v<Start> && std::is_integral_v<Stop> && std::is_integral_v<Step>;
  return arange(static_cast<double>(start), static_cast<double>(stop), static_cast<double>(step),
                kWhole ? kInt64 : kFloat32);
}
/// 0, 1, ... stop - 1.
template <Number Stop>
Tensor arange(Stop stop) {
  return arange(Stop(0), stop);
}
/// n numbers at equal distances from start to stop, both exactly included; only start when n is 1.
/// Throws ValueError for n < 0.
///
///   linspace(-1, 1, 5)   [-1, -0.5, 0, 0.5, 1]
SPLOT_API Tensor linspace(double start, double stop, Index n, DType dtype = kFloat32);

/// Converted to another dtype; the tensor itself when it has it already. Floats are cut towards zero to
/// integers.
SPLOT_API Tensor cast(const Tensor& x, DType dtype);
/// A constant: no gradient flows through it.
SPLOT_API Tensor stop_gradient(const Tensor& x);

}  // namespace splot
