// The matrix product.
#pragma once

#include "splot/core/tensor.h"

namespace splot {

/// Matrix product over the last two axes; the leading axes broadcast as in NumPy, and a 1-d operand is a row
/// on the left, a column on the right, whose axis the result lacks.
///
///   a[..., m, k]  b[..., k, n]  ->  [..., m, n]
///
/// Both inputs must be floating. Throws ShapeError when the inner sizes differ.
///
///   Tensor y = matmul(x, w);  // x[32, 784]  w[784, 10]  ->  y[32, 10]
SPLOT_API Tensor matmul(const Tensor& a, const Tensor& b);

}  // namespace splot
