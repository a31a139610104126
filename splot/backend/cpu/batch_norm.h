// Batch normalisation of channels that lie in memory one behind the other.
#pragma once

#include "splot/core/export.h"
#include "splot/core/index.h"

namespace splot::cpu {

/// x[channels][count] in memory.
struct Channels {
  Index channels = 0;
  Index count = 0;
};

/// For each channel its mean, its variance (divided by count) and
/// y = (x - mean) / sqrt(var + eps) * weight + bias. T is float or double.
template <typename T>
void batch_norm(const Channels& sizes, const T* x, const T* weight, const T* bias, double eps, T* y, T* mean,
                T* var);

/// The statistics alone, and scale = weight / sqrt(var + eps): the same numbers that batch_norm() takes.
template <typename T>
void batch_norm_stats(const Channels& sizes, const T* x, const T* weight, double eps, T* mean, T* var,
                      T* scale);

/// What the gradients of the inputs are made of: the gradients of the outputs, inputs and statistics.
template <typename T>
struct BatchNormGrad {
  const T* dy = nullptr;
  const T* dmean = nullptr;
  const T* dvar = nullptr;
  const T* x = nullptr;
  const T* weight = nullptr;
  const T* mean = nullptr;
  const T* var = nullptr;
  double eps = 0;
};

/// With s = 1 / sqrt(var + eps), d = x - mean and sums over the channel's M elements:
///   dbias = sum(dy)      dweight = s sum(dy d)
///   dx = weight s (dy - sum(dy) / M - d s^2 sum(dy d) / M) + dmean / M + 2 d dvar / M
template <typename T>
void batch_norm_grad(const Channels& sizes, const BatchNormGrad<T>& args, T* dx, T* dweight, T* dbias);

#define SPLOT_BATCH_NORM(T)                                                                                 \
  extern template SPLOT_API void batch_norm(const Channels&, const T*, const T*, const T*, double, T*, T*,  \
                                            T*);                                                            \
  extern template SPLOT_API void batch_norm_stats(const Channels&, const T*, const T*, double, T*, T*, T*); \
  extern template SPLOT_API void batch_norm_grad(const Channels&, const BatchNormGrad<T>&, T*, T*, T*);
SPLOT_BATCH_NORM(float)
SPLOT_BATCH_NORM(double)
#undef SPLOT_BATCH_NORM

}  // namespace splot::cpu
