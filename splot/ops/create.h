// Making tensors from nothing, and converting them.
#pragma once

#include "splot/core/tensor.h"

namespace splot {

SPLOT_API Tensor full(const Shape& shape, double value, DType dtype = kFloat32);
SPLOT_API Tensor zeros(const Shape& shape, DType dtype = kFloat32);
SPLOT_API Tensor ones(const Shape& shape, DType dtype = kFloat32);
/// Converted to another dtype; the tensor itself when it has it already. Floats are cut towards zero to
/// integers.
SPLOT_API Tensor cast(const Tensor& x, DType dtype);
/// A constant: no gradient flows through it.
SPLOT_API Tensor stop_gradient(const Tensor& x);

}  // namespace splot
