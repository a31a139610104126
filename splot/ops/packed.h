// Linear layers and convolutions with constant weights that were brought into order beforehand: what a
// network that only answers is made of (compiler/passes.h).
#pragma once

#include "splot/core/tensor.h"

namespace splot {

/// The weights w[out, in] of a linear layer as linear_packed() takes them: [out / 8, in / 16, 8, 16], sizes
/// rounded up and filled up with zeros. Throws ShapeError for weights of another shape, DTypeError unless
/// they are float32 or float64.
SPLOT_API Tensor pack_linear(const Tensor& w);

/// y = x W^T + b, then relu if asked for, for weights that were packed.
///
///   x[..., in]  packed = pack_linear(w[out, in])  b[out]  ->  y[..., out]
///
/// Made for few rows: each weight is read once, in the order of memory. Sums are formed in another order than
/// in linear(). All operands must have one of the types float32 and float64 (DTypeError); there is no
/// derivative.
///
///   Tensor y = linear_packed(x, pack_linear(w), b, true);   // x[1, 784]  w[30, 784]  b[30] -> [1, 30]
SPLOT_API Tensor linear_packed(const Tensor& x, const Tensor& packed, const Tensor& b, bool relu = false);

/// The weights w[O, C, 3, 3] of a convolution as conv2d_winograd() takes them: G w Gt of S. Winograd's
/// minimal filtering, [4, 4, C, O]. Throws ShapeError for a window of another size, DTypeError unless they
/// are float32.
SPLOT_API Tensor winograd_weights(const Tensor& w);

/// A convolution by 3 x 3 without strides, dilation and groups, of transformed weights; then the shortcut is
/// added, and relu taken if asked for.
///
///   x[N, C, H, W]  u = winograd_weights(w[O, C, 3, 3])  b[O]  shortcut[N, O, H', W']  ->  y[N, O, H', W']
///
/// `padding` is {top, bottom, left, right}. A shortcut that is not defined is left out. The same bits as
/// conv2d_fused(), add() and relu() where conv2d_by_winograd() says so; float32 alone (DTypeError); there is
/// no derivative. With `pool`, for which there is no shortcut (ValueError), y is what max_pool2d() of windows
/// of 2 x 2 makes of it, [N, O, H' / 2, W' / 2], rounded down: the sums are in no memory.
SPLOT_API Tensor conv2d_winograd(const Tensor& x, const Tensor& u, const Tensor& b, const Tensor& shortcut,
                                 const Ints& padding, bool relu = false, bool pool = false);

/// A convolution of weights in the order of its patches, without groups; then relu if asked for.
///
///   x[N, C, H, W]  w = patch_weights(w[O, C, KH, KW])  b[O]  ->  y[N, O, H', W']
///
/// Made for single images: each patch of x is a column of a matrix product. `stride` and `dilation` have two
/// numbers, `padding` is {top, bottom, left, right}. Sums are formed in another order than in conv2d();
/// float32 alone (DTypeError); there is no derivative.
SPLOT_API Tensor conv2d_patches(const Tensor& x, const Tensor& w, const Tensor& b, const Ints& stride,
                                const Ints& padding, const Ints& dilation, bool relu = false);

/// The weights w[O, C, KH, KW] of a convolution as conv2d_patches() takes them, [C, KH, KW, O].
SPLOT_API Tensor patch_weights(const Tensor& w);

/// Whether conv2d_patches() is the fastest way for images [N, C, H, W] and weights [O, C, KH, KW] where
/// conv2d_by_winograd() says no.
SPLOT_API bool conv2d_by_patches(const Shape& images, const Shape& weights, const Ints& stride);

/// Whether conv2d() of images [N, C, H, W] with weights [O, C, 3, 3], strides and dilation 1 and this padding
/// goes Winograd's way in float32 on the instruction set in use: where that is faster.
SPLOT_API bool conv2d_by_winograd(const Shape& images, const Shape& weights, const Ints& padding);

}  // namespace splot
