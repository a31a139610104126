// Convolutions: weighted sums of windows that slide over signals and images.
#pragma once

#include "splot/core/tensor.h"

namespace splot {

/// Sizes are given as one number for all axes, or as one for each: {along H, along W}.
struct ConvOptions {
  Ints stride = {1};   ///< between windows
  Ints padding = {0};  ///< zeros at each end; or {top, bottom, left, right}
  bool same = false;   ///< as many zeros as make the output as large as the input, a last odd one at the end;
                       ///< needs stride 1, and padding is not looked at
  Ints dilation = {1};  ///< between the elements of a window
  Index groups = 1;     ///< channels are taken in so many groups that know nothing of each other
};

/// Each output is the sum of a window of x, of all channels of its group, times the weights, plus the bias:
/// what mathematics calls cross-correlation.
///
///   x[N, C, H, W]  w[O, C / groups, KH, KW]  b[O]  ->  y[N, O, H', W']
///   y[n, o, i, j] = b[o] + sum over c, k, l of w[o, c, k, l] x[n, c, i stride + k dilation - padding, ...]
///   H' = (H + padding - dilation (KH - 1) - 1) / stride + 1, rounded down; padding is that of both ends
///
/// x may lack N. All are float32 or all float64. As in PyTorch. Throws ShapeError when channels, groups and
/// bias do not fit or the window is larger than the padded image, ValueError for sizes that make no sense,
/// DTypeError. The result is in memory with the images as its last axis, [O, H', W', N], and so is what
/// elementwise ops make of it: contiguous() gives the usual order.
///
///   Tensor y = conv2d(x, w, b, {.padding = {1}});   // x[16, 3, 32, 32]  w[18, 3, 3, 3]  b[18] -> [16, 18,
///   32, 32]
SPLOT_API Tensor conv2d(const Tensor& x, const Tensor& w, const Tensor& b, const ConvOptions& options = {});
SPLOT_API Tensor conv2d(const Tensor& x, const Tensor& w, const ConvOptions& options = {});

/// relu(scale sum + b) of the sums of conv2d, in one pass: a convolution with the batch norm in use and the
/// relu behind it.
///
///   x[N, C, H, W]  w[O, C / groups, KH, KW]  b[O]  scale[O]  ->  y[N, O, H', W']
///
/// A scale that is not defined is 1; without `relu` there is none. Otherwise as conv2d().
///
///   Tensor y = conv2d_fused(x, w, shift, scale, true, {.padding = {1}});
SPLOT_API Tensor conv2d_fused(const Tensor& x, const Tensor& w, const Tensor& b, const Tensor& scale,
                              bool relu, const ConvOptions& options = {});

/// What max_pool2d() of windows of 2 x 2 makes of relu(conv2d(x, w, b)), to the same bits: for networks that
/// only answer (compiler/passes.h).
///
///   x[N, C, H, W]  w[O, C / groups, KH, KW]  b[O]  ->  y[N, O, H' / 2, W' / 2], rounded down
///
/// Without `relu` there is none. H' and W' must be 2 or more (ShapeError); there is no derivative. Otherwise
/// as conv2d().
///
///   Tensor y = conv2d_pooled(x, w, b, true);   // x[1, 3, 32, 32]  w[18, 3, 5, 5]  b[18] -> [1, 18, 14, 14]
SPLOT_API Tensor conv2d_pooled(const Tensor& x, const Tensor& w, const Tensor& b, bool relu,
                               const ConvOptions& options = {});

/// The same with the winners: y and which of the four numbers of each window it is, as max_pool2d's record
/// keeps it. What a training's plan calls where conv2d_pools_with_winners() says so.
///
///   x[N, C, H, W]  w[O, C / groups, KH, KW]  b[O]  ->  y, which[N, O, H' / 2, W' / 2] uint8
///
///   const PooledWinners p = conv2d_max_pool(x, w, b, true);
struct PooledWinners {
  Tensor y, which;
};
SPLOT_API PooledWinners conv2d_max_pool(const Tensor& x, const Tensor& w, const Tensor& b, bool relu,
                                        const ConvOptions& options = {});

/// Whether conv2d_max_pool() of float32 images [N, C, H, W] with weights [O, C, KH, KW] keeps its sums in the
/// registers: on the instruction set in use, by Winograd's way for many images. `padding` is {top, bottom,
/// left, right}.
SPLOT_API bool conv2d_pools_with_winners(const Shape& images, const Shape& weights, const Ints& stride,
                                         const Ints& padding, const Ints& dilation, Index groups);

/// conv2d() along one axis: x[N, C, L]  w[O, C / groups, K]  ->  y[N, O, L'].
///
///   Tensor y = conv1d(x, w, {.stride = {2}});   // x[8, 4, 100]  w[16, 4, 5] -> [8, 16, 48]
SPLOT_API Tensor conv1d(const Tensor& x, const Tensor& w, const Tensor& b, const ConvOptions& options = {});
SPLOT_API Tensor conv1d(const Tensor& x, const Tensor& w, const ConvOptions& options = {});

struct ConvTransposeOptions {
  Ints stride = {1};          ///< between the windows that are added up
  Ints padding = {0};         ///< rows left out at each end; or {top, bottom, left, right}
  Ints output_padding = {0};  ///< rows more at the end; smaller than the stride or the dilation
  Ints dilation = {1};
  Index groups = 1;
};

/// The transposed map of conv2d: each element of x adds its multiple of the weights to a window of y.
///
///   x[N, C, H, W]  w[C, O / groups, KH, KW]  b[O]  ->  y[N, O, H', W']
///   H' = (H - 1) stride - padding + dilation (KH - 1) + 1 + output_padding; padding is that of both ends
///
/// Memory, types and errors as with conv2d. As in PyTorch.
///
///   Tensor y = conv_transpose2d(x, w, {.stride = {2}});   // x[8, 16, 7, 7]  w[16, 4, 2, 2] -> [8, 4, 14,
///   14]
SPLOT_API Tensor conv_transpose2d(const Tensor& x, const Tensor& w, const Tensor& b,
                                  const ConvTransposeOptions& options = {});
SPLOT_API Tensor conv_transpose2d(const Tensor& x, const Tensor& w, const ConvTransposeOptions& options = {});

/// Images [N, C, H, W] with the images innermost in memory, as convolutions, pooling and batch norm read and
/// write them (docs/decisions/005-convolution.md): the same numbers under the same shape. What several of
/// them read is better brought into that order once. Throws ShapeError unless x has four axes, DTypeError
/// unless it is float32 or float64.
///
///   Tensor y = to_images_last(x);   // x[64, 3, 32, 32] -> y[64, 3, 32, 32], its strides 1, 65536, 2048, 64
SPLOT_API Tensor to_images_last(const Tensor& x);

}  // namespace splot
