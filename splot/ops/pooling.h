// Pooling: the largest element, or the mean, of windows that slide over images.
// A batch has the shape [N, C, H, W] or [N, C, L]; a single sample may come without N.
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

struct AvgPoolOptions {
  Ints stride = {};               ///< between windows; none: the window's size
  Ints padding = {0};             ///< zeros added at each end; at most half a window
  bool ceil_mode = false;         ///< a last window that is partly outside counts too
  bool count_include_pad = true;  ///< whether padding counts as elements
  Index divisor = 0;              ///< sums are divided by this instead of by the number of elements; 0: not
};

/// The mean of each window. Shapes and errors are those of max_pool2d().
///
///   Tensor y = avg_pool2d(x, {2});   // x[64, 18, 28, 28] -> [64, 18, 14, 14]
SPLOT_API Tensor avg_pool2d(const Tensor& x, const Ints& kernel, const AvgPoolOptions& options = {});

/// The same along one axis: x[N, C, L] -> [N, C, L'] or x[C, L] -> [C, L'].
SPLOT_API Tensor avg_pool1d(const Tensor& x, Index kernel, const AvgPoolOptions& options = {});

/// As many windows as are asked for, one number for both axes or {along H, along W}: window i of n covers
/// the positions floor(i size / n) to ceil((i + 1) size / n), the last excluded, as in PyTorch.
///
///   adaptive_avg_pool2d(x, {1})   x[64, 16, 8, 8] -> [64, 16, 1, 1]
SPLOT_API Tensor adaptive_avg_pool2d(const Tensor& x, const Ints& size);
SPLOT_API Tensor adaptive_max_pool2d(const Tensor& x, const Ints& size);
/// The same along the last axis of x[N, C, L] or x[C, L].
SPLOT_API Tensor adaptive_avg_pool1d(const Tensor& x, Index size);
SPLOT_API Tensor adaptive_max_pool1d(const Tensor& x, Index size);

/// One number for each channel: x[N, C, H, W] -> [N, C].
SPLOT_API Tensor global_avg_pool2d(const Tensor& x);
SPLOT_API Tensor global_max_pool2d(const Tensor& x);

}  // namespace splot
