// SPLOT_TARGET_TABLE(f): the versions of a function compiled by foreach_target.h, in the order of
// InstructionSet. Used after foreach_target.h, where HWY_NAMESPACE is the baseline's.
#pragma once

#if HWY_ARCH_X86
#define SPLOT_TARGET_TABLE(...) \
  { HWY_NAMESPACE::__VA_ARGS__, N_AVX2::__VA_ARGS__, N_AVX3::__VA_ARGS__ }
#else
#define SPLOT_TARGET_TABLE(...) \
  { HWY_NAMESPACE::__VA_ARGS__, HWY_NAMESPACE::__VA_ARGS__, HWY_NAMESPACE::__VA_ARGS__ }
#endif
