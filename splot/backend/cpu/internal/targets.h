// The instruction sets the library is compiled for; include before any Highway header.
#pragma once

// Baseline, AVX2 and AVX-512 cover what machines differ in; every further target would cost build time and size.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
