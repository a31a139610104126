// The convolution kernels for float, for every instruction set.
// targets.h has to come before Highway.
// clang-format off
#include "splot/backend/cpu/internal/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "splot/backend/cpu/internal/conv_float.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include "splot/backend/cpu/internal/conv_forward-inl.h"
#include "splot/backend/cpu/internal/conv_plan.h"
#include "splot/backend/cpu/internal/conv_pool-inl.h"
#include "splot/backend/cpu/internal/conv_weights-inl.h"
#include "splot/backend/cpu/internal/conv_winograd-inl.h"
#include "splot/backend/cpu/internal/conv_winograd_images-inl.h"

HWY_BEFORE_NAMESPACE();
namespace splot::cpu::HWY_NAMESPACE {

inline constexpr ConvKernels<float> kConvKernels = {
    static_cast<Index>(hn::MaxLanes(hn::ScalableTag<float>())),
    correlate<float>,
    sum_weights<float>,
    pool_rows<float>,
    winograd<float>,
    winograd_images<float>,
    winograd_weights<float>};

}  // namespace splot::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace splot::cpu {

const ConvKernels<float>& conv_kernels(InstructionSet set, float) {
  static constexpr ConvKernels<float> kernels[kInstructionSets] = {
    HWY_NAMESPACE::kConvKernels,
#if HWY_ARCH_X86
    N_AVX2::kConvKernels,
    N_AVX3::kConvKernels,
#endif
  };
  return kernels[static_cast<int>(set)];
}

}  // namespace splot::cpu
#endif
