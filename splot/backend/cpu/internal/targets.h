// Which instruction sets the SIMD code is compiled for. Include this before any Highway header.
//
// Each target compiles every kernel once more, so the list is short: what the compiler may use anyway (the
// baseline), AVX2 with FMA, and AVX-512; on Arm, NEON. SSSE3 and SSE4 processors without AVX2 are too old to
// be worth a third of the library, AVX3_DL adds nothing that float kernels use, and the scalable vectors of
// SVE cannot be kept in arrays, which is how register tiles are written.
#pragma once

#if defined(HWY_HIGHWAY_INCLUDED) || defined(HIGHWAY_HWY_DETECT_TARGETS_H_)
#error "include splot/backend/cpu/internal/targets.h before any Highway header"
#endif

#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
