// Convolutions on raw memory in the order "images last": element (c, y, x, n) of a tensor of C channels of H
// x W pixels of N images is at ((c H + y) W + x) N + n. Vectors then run over the images, and where there are
// few images over the pixels of a row, so that any number of channels fills them.
#pragma once

#include "splot/core/export.h"
#include "splot/core/index.h"

namespace splot::cpu {

/// What one axis of a convolution looks like: output o reads inputs o stride + k dilation - pad, k < kernel,
/// those that exist.
struct ConvAxis {
  Index in = 1, out = 1, kernel = 1, stride = 1, dilation = 1, pad = 0;
};

struct ConvShape {
  Index images = 1;
  Index groups = 1;
  Index in_channels = 1;   ///< of all groups
  Index out_channels = 1;  ///< of all groups
  ConvAxis y, x;

  Index weights() const { return out_channels * (in_channels / groups) * y.kernel * x.kernel; }
};

/// What is done to each sum before it is stored: y = relu(scale sum + bias), each part if asked for.
template <typename T>
struct ConvEpilogue {
  const T* bias = nullptr;   ///< [out_channels]
  const T* scale = nullptr;  ///< [out_channels]
  bool relu = false;         ///< max(y, 0); a NaN stays a NaN
  /// y gets the largest of each 2 x 2 of these, a NaN where there is one, and is [out_channels, y.out / 2,
  /// x.out / 2, images], rounded down. Of a whole convolution alone.
  bool pool = false;
  /// Where the convolution goes Winograd's way for many images (conv_pools_with_winners()): gets for each
  /// number of y which of the four it was, as max_pool() counts them. Else null.
  unsigned char* which = nullptr;

  /// The same for the channels from `first` on; `which` is that of all channels.
  ConvEpilogue from(Index first) const {
    ConvEpilogue out = *this;
    if (bias != nullptr) out.bias += first;
    if (scale != nullptr) out.scale += first;
    return out;
  }
};

/// Each function writes all of its result. x[in_channels, y.in, x.in, images], y[out_channels, y.out, x.out,
/// images] images last; w[out_channels, in_channels / groups, y.kernel, x.kernel] row-major. Each element is
/// a sum in an order that depends on the shape and the instruction set alone: the same bits for any number of
/// threads.
///
/// y = x correlated with w, then the epilogue.
template <typename T>
void conv_forward(const ConvShape& shape, const T* x, const T* w, const ConvEpilogue<T>& epilogue, T* y);
/// Whether ConvEpilogue::which is written for it.
template <typename T>
bool conv_pools_with_winners(const ConvShape& shape);
/// dx = what dy says about x.
template <typename T>
void conv_input_gradient(const ConvShape& shape, const T* dy, const T* w, T* dx);
/// dw = what dy says about w.
template <typename T>
void conv_weight_gradient(const ConvShape& shape, const T* x, const T* dy, T* dw);

/// The definitions, in plain loops and one thread. Tests compare every kernel with them.
template <typename T>
SPLOT_API void conv_forward_reference(const ConvShape& shape, const T* x, const T* w,
                                      const ConvEpilogue<T>& epilogue, T* y);
template <typename T>
SPLOT_API void conv_input_gradient_reference(const ConvShape& shape, const T* dy, const T* w, T* dx);
template <typename T>
SPLOT_API void conv_weight_gradient_reference(const ConvShape& shape, const T* x, const T* dy, T* dw);

extern template SPLOT_API void conv_forward(const ConvShape&, const float*, const float*,
                                            const ConvEpilogue<float>&, float*);
extern template SPLOT_API void conv_forward(const ConvShape&, const double*, const double*,
                                            const ConvEpilogue<double>&, double*);
extern template SPLOT_API bool conv_pools_with_winners<float>(const ConvShape&);
extern template SPLOT_API bool conv_pools_with_winners<double>(const ConvShape&);
extern template SPLOT_API void conv_input_gradient(const ConvShape&, const float*, const float*, float*);
extern template SPLOT_API void conv_input_gradient(const ConvShape&, const double*, const double*, double*);
extern template SPLOT_API void conv_weight_gradient(const ConvShape&, const float*, const float*, float*);
extern template SPLOT_API void conv_weight_gradient(const ConvShape&, const double*, const double*, double*);

/// to[c][r] = from[r][c], r < rows, c < cols; rows of `from` are from_stride apart, those of `to` to_stride.
template <typename T>
SPLOT_API void transpose(Index rows, Index cols, const T* from, Index from_stride, T* to, Index to_stride);
extern template SPLOT_API void transpose(Index, Index, const float*, Index, float*, Index);
extern template SPLOT_API void transpose(Index, Index, const double*, Index, double*, Index);

}  // namespace splot::cpu
