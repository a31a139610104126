// Random numbers by the million: Philox in vectors, on the threads.
#pragma once

#include "splot/core/export.h"
#include "splot/core/index.h"
#include "splot/core/random.h"

namespace splot::cpu {

// Every element has its own place in the sequence of a key, whatever the instruction set or the number of
// threads. Tiles of 8 Philox blocks (of 4 words each) are cut in two: a tile's first half are the words 0 and
// 1 of block 0, of block 1 and so on, its second half the words 2 and 3. An element of float32 is one word,
// one of float64 two.

/// out[i] = low + (high - low) u, with u in [0, 1): 24 random bits for float, 52 for double.
template <typename T>
void fill_uniform(const RandomKey& key, double low, double high, Index n, T* out);

/// Normal numbers by Box and Muller's transform: the first half of a tile gives the radius, the second the
/// angle. At most 6.6 (float) or 8.5 (double) standard deviations from the mean.
template <typename T>
void fill_normal(const RandomKey& key, double mean, double deviation, Index n, T* out);

/// out[i] = value with probability p, else 0.
template <typename T>
void fill_bernoulli(const RandomKey& key, double p, double value, Index n, T* out);

#define SPLOT_RANDOM(T)                                                                     \
  extern template SPLOT_API void fill_uniform(const RandomKey&, double, double, Index, T*); \
  extern template SPLOT_API void fill_normal(const RandomKey&, double, double, Index, T*);  \
  extern template SPLOT_API void fill_bernoulli(const RandomKey&, double, double, Index, T*);
SPLOT_RANDOM(float)
SPLOT_RANDOM(double)
#undef SPLOT_RANDOM

}  // namespace splot::cpu
