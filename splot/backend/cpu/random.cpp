#include "splot/backend/cpu/random.h"

// targets.h, foreach_target.h and the file it compiles for each target, in this order.
// clang-format off
#include "splot/backend/cpu/internal/targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "splot/backend/cpu/internal/random-inl.h"
#include <hwy/foreach_target.h>
#include "splot/backend/cpu/internal/random-inl.h"
// clang-format on

#include <algorithm>

#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/thread_pool.h"

namespace splot::cpu {
namespace {

// The unit of work of a thread, in tiles.
constexpr Index kChunkTiles = 512;

template <typename T>
using Fill = void (*)(const RandomKey&, double, double, Index tile, Index n, T* out);

#if HWY_ARCH_X86
#define SPLOT_FILL(Distribution)                                                                            \
  {                                                                                                         \
    HWY_NAMESPACE::fill_tiles<HWY_NAMESPACE::Distribution, T>, N_AVX2::fill_tiles<N_AVX2::Distribution, T>, \
        N_AVX3::fill_tiles<N_AVX3::Distribution, T>                                                         \
  }
#else
#define SPLOT_FILL(Distribution)                                   \
  {                                                                \
    HWY_NAMESPACE::fill_tiles<HWY_NAMESPACE::Distribution, T>,     \
        HWY_NAMESPACE::fill_tiles<HWY_NAMESPACE::Distribution, T>, \
        HWY_NAMESPACE::fill_tiles<HWY_NAMESPACE::Distribution, T>  \
  }
#endif

template <typename T>
void fill(const Fill<T> (&table)[kInstructionSets], double nanoseconds, const RandomKey& key, double a,
          double b, Index n, T* out) {
  constexpr Index kChunk = kChunkTiles * 128 / static_cast<Index>(sizeof(T));
  const Fill<T> kernel = table[static_cast<int>(instruction_set())];
  parallel_for((n + kChunk - 1) / kChunk, static_cast<double>(n) * nanoseconds * 1e-3, [&](Index chunk) {
    const Index first = chunk * kChunk;
    kernel(key, a, b, chunk * kChunkTiles, std::min(kChunk, n - first), out + first);
  });
}

}  // namespace

template <typename T>
void fill_uniform(const RandomKey& key, double low, double high, Index n, T* out) {
  static constexpr Fill<T> table[] = SPLOT_FILL(Uniform);
  fill<T>(table, sizeof(T) / 8.0, key, low, high, n, out);
}

template <typename T>
void fill_normal(const RandomKey& key, double mean, double deviation, Index n, T* out) {
  static constexpr Fill<T> table[] = SPLOT_FILL(Normal);
  fill<T>(table, sizeof(T) / 2.0, key, mean, deviation, n, out);
}

template <typename T>
void fill_bernoulli(const RandomKey& key, double p, double value, Index n, T* out) {
  static constexpr Fill<T> table[] = SPLOT_FILL(Bernoulli);
  fill<T>(table, sizeof(T) / 8.0, key, p, value, n, out);
}

#define SPLOT_RANDOM(T)                                                    \
  template void fill_uniform(const RandomKey&, double, double, Index, T*); \
  template void fill_normal(const RandomKey&, double, double, Index, T*);  \
  template void fill_bernoulli(const RandomKey&, double, double, Index, T*);
SPLOT_RANDOM(float)
SPLOT_RANDOM(double)
#undef SPLOT_RANDOM

}  // namespace splot::cpu
