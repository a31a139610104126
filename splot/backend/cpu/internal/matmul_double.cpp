// The matrix kernels for double, for every instruction set.
// targets.h has to come before Highway.
// clang-format off
#include "splot/backend/cpu/internal/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "splot/backend/cpu/internal/matmul_double.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include "splot/backend/cpu/internal/matmul_kernels-inl.h"
#include "splot/backend/cpu/internal/matmul_plan.h"

#if HWY_ONCE
namespace splot::cpu {

const MatmulKernels<double>& matmul_kernels(InstructionSet set, double) {
  static constexpr MatmulKernels<double> kernels[kInstructionSets] = {
    {HWY_STATIC_DISPATCH(plan_product<double>), HWY_STATIC_DISPATCH(run_product<double>)},
#if HWY_ARCH_X86
    {N_AVX2::plan_product<double>, N_AVX2::run_product<double>},
    {N_AVX3::plan_product<double>, N_AVX3::run_product<double>},
#endif
  };
  return kernels[static_cast<int>(set)];
}

}  // namespace splot::cpu
#endif
