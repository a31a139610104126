// The same elements under another shape or order of axes; nothing is copied where strides can say it.
#pragma once

#include "splot/core/tensor.h"

namespace splot {

/// The same elements in row-major order under another shape; one size may be -1 and is worked out.
SPLOT_API Tensor reshape(const Tensor& x, const Ints& shape);
/// Axes in another order: permute(x[2, 3, 4], {2, 0, 1}) -> [4, 2, 3].
SPLOT_API Tensor permute(const Tensor& x, const Axes& order);
/// The last two axes exchanged.
SPLOT_API Tensor matrix_transpose(const Tensor& x);
/// Stretched by broadcasting to `shape`; no element is copied.
SPLOT_API Tensor expand(const Tensor& x, const Shape& shape);

}  // namespace splot
