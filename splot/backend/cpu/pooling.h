// Maximum pooling of images whose innermost axis in memory is the batch.
#pragma once

#include "splot/core/export.h"
#include "splot/core/index.h"

namespace splot::cpu {

/// One axis of a pooling: window i covers the positions i * stride - padding + k * dilation, k < kernel, as
/// far as they lie in 0 .. size - 1.
struct PoolAxis {
  Index size = 1;
  Index windows = 1;
  Index kernel = 1;
  Index stride = 1;
  Index padding = 0;
  Index dilation = 1;
};

/// The larger images are [planes][h.size][w.size][images] in memory, the smaller ones
/// [planes][h.windows][w.windows][images]. Element (i, j) of a window has the number i * w.kernel + j.
struct Pool2d {
  Index planes = 1;
  Index images = 1;
  PoolAxis h, w;
};

/// y = the largest element of each window, which = its number: the first of equal ones, the last NaN where
/// there is one; -infinity where a window
/// has no element. T is float or double; Which, uint8 or int32, holds the numbers.
template <typename T, typename Which>
void max_pool(const Pool2d& pool, const T* x, T* y, Which* which);

/// y = element number `which` of each window of x.
template <typename T, typename Which>
void max_pool_pick(const Pool2d& pool, const T* x, const Which* which, T* y);

/// The transposed map: dx = the sum of the dy whose windows have picked the element.
template <typename T, typename Which>
void max_pool_grad(const Pool2d& pool, const T* dy, const Which* which, T* dx);

#define SPLOT_POOLING(T, Which)                                                            \
  extern template SPLOT_API void max_pool(const Pool2d&, const T*, T*, Which*);            \
  extern template SPLOT_API void max_pool_pick(const Pool2d&, const T*, const Which*, T*); \
  extern template SPLOT_API void max_pool_grad(const Pool2d&, const T*, const Which*, T*);
SPLOT_POOLING(float, unsigned char)
SPLOT_POOLING(float, int)
SPLOT_POOLING(double, unsigned char)
SPLOT_POOLING(double, int)
#undef SPLOT_POOLING

}  // namespace splot::cpu
