// The affine map of a dense layer.
#pragma once

#include "splot/core/tensor.h"

namespace splot {

/// y = x W^T + b over the last axis of x; without b when it is undefined.
///
///   x[..., in]  w[out, in]  b[out]  ->  [..., out]
///
/// All must be float32 or all float64. Throws ShapeError when the sizes do not fit, DTypeError when the types
/// differ.
///
///   Tensor y = linear(x, w, b);  // x[32, 784]  w[10, 784]  b[10]  ->  y[32, 10]
SPLOT_API Tensor linear(const Tensor& x, const Tensor& w, const Tensor& b = Tensor());

}  // namespace splot
