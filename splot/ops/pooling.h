// Pooling: the largest element, or the mean, of windows that slide over images.
#pragma once

#include "splot/core/tensor.h"

namespace splot {

/// Sizes are given as one number for both axes, or as {along H, along W}.
struct MaxPoolOptions {
  Ints stride = {};        ///< between windows; none: the window's size
  Ints padding = {0};      ///< added at each end, never chosen; at most half a window
  Ints dilation = {1};     ///< between the elements of a window
  bool ceil_mode = false;  ///< a last window that is partly outside counts too
};

/// The largest element of each window.
///
///   x[N, C, H, W]  ->  [N, C, H', W']  or  x[C, H, W]  ->  [C, H', W']
///   H' = (H + 2 padding - dilation (kernel - 1) - 1) / stride + 1, rounded down, or up for ceil_mode
///
/// Of equal elements the first in row-major order gets the gradient; a NaN in the window is its maximum. As
/// in PyTorch. Throws ShapeError for a window larger than the padded image, ValueError for sizes that make no
/// sense.
///
///   Tensor y = max_pool2d(x, {2});   // x[64, 18, 28, 28] -> [64, 18, 14, 14]
SPLOT_API Tensor max_pool2d(const Tensor& x, const Ints& kernel, const MaxPoolOptions& options = {});

/// The same along one axis: x[N, C, L] -> [N, C, L'] or x[C, L] -> [C, L'].
SPLOT_API Tensor max_pool1d(const Tensor& x, Index kernel, const MaxPoolOptions& options = {});

}  // namespace splot
