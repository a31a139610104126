// Convolutions by 3 x 3 by Winograd's way, with weights that were transformed beforehand: what a network
// takes that only answers. conv.h says what the order of memory is.
#pragma once

#include "splot/backend/cpu/conv.h"
#include "splot/core/export.h"
#include "splot/core/index.h"

namespace splot::cpu {

/// Whether conv_forward() computes this by Winograd's way on the instruction set in use.
SPLOT_API bool conv_goes_by_winograd(const ConvShape& shape);

/// The weights w[out][in][3][3] as conv_winograd() takes them, [4][4][in][out].
SPLOT_API void winograd_weights(Index out, Index in, const float* w, float* transformed);

/// conv_forward() of a window of 3 x 3 without strides, dilation and groups, by Winograd's way whatever the
/// shape: the same bits as conv_forward() where that goes this way too. A shortcut, which is like y, is added
/// before the epilogue's relu; null: none.
SPLOT_API void conv_winograd(const ConvShape& shape, const float* x, const float* transformed,
                             const ConvEpilogue<float>& epilogue, const float* shortcut, float* y);

}  // namespace splot::cpu
