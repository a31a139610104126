#include "splot/backend/cpu/batch_norm.h"

// targets.h, foreach_target.h and the file it compiles for each target, in this order.
// clang-format off
#include "splot/backend/cpu/internal/targets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "splot/backend/cpu/internal/batch_norm-inl.h"
#include <hwy/foreach_target.h>
#include "splot/backend/cpu/internal/batch_norm-inl.h"
// clang-format on

#include <algorithm>

#include "splot/backend/cpu/instruction_set.h"
#include "splot/backend/cpu/internal/target_table.h"
#include "splot/backend/cpu/thread_pool.h"

namespace splot::cpu {
namespace {

// The unit of work of a thread, in elements: a channel is never divided.
constexpr Index kChannelsChunk = 16 * 1024;

// Calls body(first channel, number of channels); `tensors` says how many elements are moved for one.
template <typename T, typename Body>
void for_channels(const Channels& sizes, double tensors, Body&& body) {
  const Index group = std::max<Index>(1, kChannelsChunk / std::max<Index>(1, sizes.count));
  const double microseconds =
      tensors * static_cast<double>(sizes.channels * sizes.count) * sizeof(T) / 4.0 * 2e-4;
  parallel_for((sizes.channels + group - 1) / group, microseconds,
               [&](Index at) { body(at * group, std::min(group, sizes.channels - at * group)); });
}

}  // namespace

template <typename T>
void batch_norm(const Channels& sizes, const T* x, const T* weight, const T* bias, double eps, T* y, T* mean,
                T* var) {
  using Kernel = void (*)(const Channels&, const T*, const T*, const T*, double, Index, Index, T*, T*, T*);
  static constexpr Kernel table[] = SPLOT_TARGET_TABLE(batch_norm_channels<T>);
  const Kernel kernel = table[static_cast<int>(instruction_set())];
  for_channels<T>(sizes, 3.0, [&](Index first, Index channels) {
    kernel(sizes, x, weight, bias, eps, first, channels, y, mean, var);
  });
}

template <typename T>
void batch_norm_stats(const Channels& sizes, const T* x, const T* weight, double eps, T* mean, T* var,
                      T* scale) {
  using Kernel = void (*)(const Channels&, const T*, const T*, double, Index, Index, T*, T*, T*);
  static constexpr Kernel table[] = SPLOT_TARGET_TABLE(batch_norm_stats_channels<T>);
  const Kernel kernel = table[static_cast<int>(instruction_set())];
  for_channels<T>(sizes, 1.0, [&](Index first, Index channels) {
    kernel(sizes, x, weight, eps, first, channels, mean, var, scale);
  });
}

template <typename T>
void batch_norm_grad(const Channels& sizes, const BatchNormGrad<T>& args, T* dx, T* dweight, T* dbias) {
  using Kernel = void (*)(const Channels&, const BatchNormGrad<T>&, Index, Index, T*, T*, T*);
  static constexpr Kernel table[] = SPLOT_TARGET_TABLE(batch_norm_grad_channels<T>);
  const Kernel kernel = table[static_cast<int>(instruction_set())];
  for_channels<T>(sizes, 5.0, [&](Index first, Index channels) {
    kernel(sizes, args, first, channels, dx, dweight, dbias);
  });
}

#define SPLOT_BATCH_NORM(T)                                                                    \
  template void batch_norm(const Channels&, const T*, const T*, const T*, double, T*, T*, T*); \
  template void batch_norm_stats(const Channels&, const T*, const T*, double, T*, T*, T*);     \
  template void batch_norm_grad(const Channels&, const BatchNormGrad<T>&, T*, T*, T*);
SPLOT_BATCH_NORM(float)
SPLOT_BATCH_NORM(double)
#undef SPLOT_BATCH_NORM

}  // namespace splot::cpu
