// The convolution kernels for double, for every instruction set.
// targets.h has to come before Highway.
// clang-format off
#include "splot/backend/cpu/internal/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "splot/backend/cpu/internal/conv_double.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include "splot/backend/cpu/internal/conv_forward-inl.h"
#include "splot/backend/cpu/internal/conv_plan.h"
#include "splot/backend/cpu/internal/conv_pool-inl.h"
#include "splot/backend/cpu/internal/conv_weights-inl.h"

HWY_BEFORE_NAMESPACE();
namespace splot::cpu::HWY_NAMESPACE {

inline constexpr ConvKernels<double> kConvKernels = {
    static_cast<Index>(hn::MaxLanes(hn::ScalableTag<double>())),
    correlate<double>,
    sum_weights<double>,
    pool_rows<double>,
    nullptr,
    nullptr,
    nullptr};

}  // namespace splot::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace splot::cpu {

const ConvKernels<double>& conv_kernels(InstructionSet set, double) {
  static constexpr ConvKernels<double> kernels[kInstructionSets] = {
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
