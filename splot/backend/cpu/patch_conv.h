// Convolutions of one image as a product of its patches with weights that were brought into order beforehand:
// what a network takes that only answers. conv.h says what the order of memory is.
#pragma once

#include "splot/backend/cpu/conv.h"
#include "splot/core/export.h"
#include "splot/core/index.h"

namespace splot::cpu {

/// Whether that is faster than conv_forward() where this does not go by Winograd.
SPLOT_API bool conv_goes_by_patches(const ConvShape& shape);

/// conv_forward() of one image and one group, weights as w[in_channels][y.kernel][x.kernel][out_channels].
/// Each element is a sum over channels, rows and columns in this order, then the bias: the same bits for any
/// number of threads.
SPLOT_API void conv_by_patches(const ConvShape& shape, const float* x, const float* w,
                               const ConvEpilogue<float>& epilogue, float* y);

}  // namespace splot::cpu
