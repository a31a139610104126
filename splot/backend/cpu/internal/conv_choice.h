// Which way a convolution is computed: it follows from the shape and the instruction set.
#pragma once

#include <algorithm>

#include "splot/backend/cpu/internal/conv_plan.h"
#include "splot/backend/cpu/internal/conv_planes.h"

namespace splot::cpu {

// Where there are fewer images than lanes, vectors run over the pixels of a row, and all of them need the
// same taps: columns that do not exist become zeros, and with strides the columns of each tap are put behind
// each other.
template <typename T>
bool are_few(const ConvKernels<T>& kernels, Index images) {
  return images < kernels.lanes;
}

// What the taps of an axis read outside of it.
inline Ends missing(const ConvAxis& a) {
  const Index last = (a.out - 1) * a.stride + (a.kernel - 1) * a.dilation - a.pad;
  return {a.pad, std::max<Index>(0, last + 1 - a.in)};
}

inline bool is_three_without_strides(const ConvAxis& a) {
  return a.kernel == 3 && a.stride == 1 && a.dilation == 1;
}

// Whether a convolution of one image is faster by Winograd's way than row by row or as one row of so many
// numbers.
template <typename T>
bool better_by_winograd(const ConvKernels<T>& kernels, const ConvShape& s, Index in, Index out,
                        Index in_row) {
  if (kernels.winograd == nullptr || s.images != 1) return false;
  if (!is_three_without_strides(s.y) || !is_three_without_strides(s.x)) return false;
  const double direct = std::min(row_cost(kernels.lanes, (s.y.out - 1) * in_row + s.x.out),
                                 static_cast<double>(s.y.out) * row_cost(kernels.lanes, s.x.out));
  return winograd_cost(kernels.lanes, in, out, (s.y.out + 1) / 2, (s.x.out + 1) / 2) <
         static_cast<double>(9 * in * out) * direct;
}

// Whether that is so for many images and rows x cols outputs.
template <typename T>
bool better_by_winograd(const ConvKernels<T>& kernels, const ConvShape& s, const WinogradConv<T>& c) {
  if (kernels.winograd_images == nullptr || are_few(kernels, s.images)) return false;
  if (!is_three_without_strides(s.y) || !is_three_without_strides(s.x)) return false;
  const Index vectors = (s.images + kernels.lanes - 1) / kernels.lanes;
  const double direct = static_cast<double>(9 * c.in_channels * c.out_channels * c.rows * c.cols * s.images) /
                        static_cast<double>(kernels.lanes);
  return winograd_images_cost(vectors, c.in_channels, c.out_channels, (c.rows + 1) / 2, (c.cols + 1) / 2) <
         direct;
}

}  // namespace splot::cpu
