// The matrix kernels for float, for every instruction set.
// targets.h has to come before Highway.
// clang-format off
#include "splot/backend/cpu/internal/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "splot/backend/cpu/internal/matmul_float.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include "splot/backend/cpu/internal/matmul_kernels-inl.h"
#include "splot/backend/cpu/internal/matmul_plan.h"

#if HWY_ONCE
namespace splot::cpu {

const MatmulKernels<float>& matmul_kernels(InstructionSet set, float) {
  static constexpr MatmulKernels<float> kernels[kInstructionSets] = {
    {HWY_STATIC_DISPATCH(plan_product<float>), HWY_STATIC_DISPATCH(run_product<float>)},
#if HWY_ARCH_X86
    {N_AVX2::plan_product<float>, N_AVX2::run_product<float>},
    {N_AVX3::plan_product<float>, N_AVX3::run_product<float>},
#endif
  };
  return kernels[static_cast<int>(set)];
}

}  // namespace splot::cpu
#endif
