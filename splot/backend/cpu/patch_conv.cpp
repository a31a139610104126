#include "splot/backend/cpu/patch_conv.h"

// targets.h, foreach_target.h and the file it compiles for each target, in this order.
// clang-format off
#include "splot/backend/cpu/internal/targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "splot/backend/cpu/internal/patch_conv-inl.h"
#include <hwy/foreach_target.h>
#include "splot/backend/cpu/internal/patch_conv-inl.h"
// clang-format on

#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/internal/target_table.h"

namespace splot::cpu {

// Found by measuring: with strides vectors are filled that conv_forward() leaves half empty, and sums of few
// or single taps wait for their weights there.
bool conv_goes_by_patches(const ConvShape& s) {
  if (s.images != 1 || s.groups != 1) return false;
  return s.y.stride > 1 || s.x.stride > 1 || s.in_channels == 1 || s.y.kernel * s.x.kernel == 1;
}

void conv_by_patches(const ConvShape& shape, const float* x, const float* w,
                     const ConvEpilogue<float>& epilogue, float* y) {
  using Kernel = void (*)(const ConvShape&, const float*, const float*, const ConvEpilogue<float>&, float*);
  static constexpr Kernel table[] = SPLOT_TARGET_TABLE(conv_of_patches<float>);
  table[static_cast<int>(instruction_set())](shape, x, w, epilogue, y);
}

}  // namespace splot::cpu
